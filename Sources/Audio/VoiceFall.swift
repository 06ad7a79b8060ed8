import Glibc

/// How final does the voice sound where it stops? 8 kHz audio in, a probability out at each end of speech.
///
/// At the end of what they have to say people grow softer and lower and draw out the last syllable; before a pause
/// they do so less. Owns: the voice of the last seconds and what is reckoned from it. Does not own: where speech starts
/// and ends (`SpeechDetector`), what else tells whether a turn is over (Turns).
/// The weights are those of `models/finality`, which trains them on what `parley hear --features` tells.
package struct VoiceFall: Sendable {
    /// What is looked at of the voice before its end.
    package struct Features: Hashable, Sendable {
        /// The loudest 10 ms of the last 300, in dB over the usual loudness of this voice.
        package var drop = 0.0
        /// The last syllable's loudness in dB over the median one's.
        package var syllable = 0.0
        /// The last pitch, in semitones over the median; 0 where there is none. ±8.
        package var pitch = 0.0
        /// From the middle of the last syllable to the end, in tenths of a second. 0...6.
        package var rime = 0.0

        package var all: [Double] { [drop, syllable, pitch, rime] }
    }

    /// So much before the end is looked at, if speech began as early.
    static let heardMs = 3000
    /// Speech after a longer silence is a turn of its own.
    static let apartMs = 2000
    /// The pitch is looked for in what is so many dB over the floor.
    static let overFloor = 8.0
    private static let kept = heardMs / VoiceTracker.frameMs

    private var tracker = VoiceTracker()
    /// The newest frames, a ring.
    private var ring = [VoiceFrame](repeating: VoiceFrame(), count: kept)
    /// Frames heard so far, and those at which the turn began and speech last ended.
    private var count = 0
    private var began = 0
    private var ended: Int?

    package init() {}

    /// `floorDecibels`: how loud the line is without a voice.
    package mutating func hear(mulaw bytes: UnsafeBufferPointer<UInt8>, floorDecibels: Double) {
        let gate = Float(floorDecibels + Self.overFloor)
        for byte in bytes { take(MuLaw.decode(byte), gate) }
    }

    /// As for µ-law.
    package mutating func hear(_ samples: UnsafeBufferPointer<Int16>, floorDecibels: Double) {
        let gate = Float(floorDecibels + Self.overFloor)
        for sample in samples { take(sample, gate) }
    }

    @inline(__always)
    private mutating func take(_ sample: Int16, _ gate: Float) {
        guard let frame = tracker.take(sample, gate: gate) else { return }
        ring[count % Self.kept] = frame
        count += 1
    }

    /// Speech began `agoMs` before the end of what was heard.
    package mutating func speechStarted(agoMs: Int) {
        let start = max(0, count - agoMs / VoiceTracker.frameMs)
        if let ended, start - ended < Self.apartMs / VoiceTracker.frameMs { return }
        began = start
    }

    /// Speech ended `agoMs` before the end of what was heard; nil where too little of it was.
    package mutating func speechEnded(agoMs: Int) -> Features? {
        let end = max(0, count - agoMs / VoiceTracker.frameMs)
        ended = end
        let first = max(began, count - Self.kept)
        guard end - first >= Self.least else { return nil }
        return Features(of: (first..<end).map { ring[$0 % Self.kept] })
    }

    /// Frames from which something can be said.
    private static let least = 20
}

extension VoiceFall.Features {
    /// Frames: the last 300 ms, in which the last pitch is looked for (500), and how many of those with pitch make it.
    private static let last = 30
    private static let pitched = 50
    private static let pitches = 6
    /// Frames on either side of a syllable's middle in which nothing is louder.
    private static let apart = 6
    /// dB under the loudest tenth that are still voice; under the usual loudness, that are still a syllable.
    private static let quiet: Float = 20
    private static let weak: Float = 9
    /// Periodicity that is a pitch, and how far from the median it is believed.
    private static let periodic: Float = 0.75
    private static let believed: Float = 8

    init(of frames: [VoiceFrame]) {
        let levels = frames.map(\.decibels)
        let loudest = levels.sorted()[levels.count * 9 / 10]
        let voice = levels.filter { $0 > loudest - Self.quiet }
        let usual = voice.reduce(0, +) / Float(max(1, voice.count))
        drop = Double((levels.suffix(Self.last).max() ?? usual) - usual)
        let syllables = Self.syllables(levels, over: usual - Self.weak)
        if let final = syllables.last {
            rime = Double(min(frames.count - final.at, 60)) / 10
            syllable = Double(final.decibels - Self.median(syllables.map(\.decibels)))
        } else {
            rime = 3
        }
        pitch = Self.pitch(frames, over: loudest - Self.quiet)
    }

    /// Middles of syllables: where five frames together are loudest.
    private static func syllables(_ levels: [Float], over least: Float) -> [(at: Int, decibels: Float)] {
        let smooth = levels.indices.map { at in
            let near = levels[max(0, at - 2)...min(levels.count - 1, at + 2)]
            return near.reduce(0, +) / Float(near.count)
        }
        var found: [(at: Int, decibels: Float)] = []
        for (at, level) in smooth.enumerated() where level > least {
            if let last = found.last, at - last.at <= apart { continue }
            let around = smooth[max(0, at - apart)...min(smooth.count - 1, at + apart)]
            if around.allSatisfy({ $0 <= level }) { found.append((at, level)) }
        }
        return found
    }

    private static func pitch(_ frames: [VoiceFrame], over least: Float) -> Double {
        let voiced = frames.indices.filter {
            frames[$0].periodicity > periodic && frames[$0].decibels > least
        }
        guard !voiced.isEmpty else { return 0 }
        let median = median(voiced.map { frames[$0].semitones })
        let late = voiced.filter {
            $0 >= frames.count - pitched && abs(frames[$0].semitones - median) < believed
        }
        guard late.count >= pitches / 2 else { return 0 }
        return Double(Self.median(late.suffix(pitches).map { frames[$0].semitones }) - median)
    }

    private static func median(_ values: [Float]) -> Float {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    /// The probability that the turn is over, 0...1, if ends and pauses were equally frequent: p / (1 - p) is the
    /// weight of this evidence.
    package var finality: Double {
        let sum = zip(all, Self.weights).reduce(Self.bias) { $0 + $1.0 * $1.1 }
        return 1 / (1 + exp(-sum))
    }

    /// Written by `models/finality/train.py`.
    private static let weights = [-0.0311, -0.1043, -0.0513, 0.4044]
    private static let bias = -1.3219
}
