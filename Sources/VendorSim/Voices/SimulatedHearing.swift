/// What a simulated recogniser has understood of one caller's audio so far.
///
/// Loud frames are speech. Words come from known speech found by its bytes, else from the script: its next line for each
/// utterance, a word every `wordMs` of loud time. Pure: fed frame by frame.
struct SimulatedHearing: Sendable {
    /// Mean magnitude of a frame of speech, 0...32124.
    static let loudnessMin = 150
    /// A word of the script.
    static let wordMs = 280
    static let frameMs = 20

    enum Edge: Hashable, Sendable { case began, wentOn, paused }

    private let known: KnownFrames
    private let script: [String]
    private var line = 0
    private var place: KnownFrames.Place?
    private var pending: [UInt8] = []
    /// Words of utterances' parts that are over, and where each ends, milliseconds of the stream.
    private var said: [(word: String, startMs: Int, endMs: Int)] = []
    private var loudMs = 0
    private var beganMs = 0
    private(set) var isOpen = false
    /// Milliseconds of audio received, and where the last loud frame ended.
    private(set) var positionMs = 0
    private(set) var lastLoudMs = 0

    init(known: KnownFrames, script: [String]) {
        self.known = known
        self.script = script
    }

    /// One call a frame of 20 ms; what came of each.
    mutating func hear(_ audio: some Sequence<UInt8>) -> [Edge] {
        pending += audio
        var edges: [Edge] = []
        var start = 0
        while pending.count - start >= MuLaw.frameBytes {
            let frame = Array(pending[start..<start + MuLaw.frameBytes])
            start += MuLaw.frameBytes
            positionMs += Self.frameMs
            if let edge = take(frame) { edges.append(edge) }
        }
        pending.removeFirst(start)
        return edges
    }

    private mutating func take(_ frame: [UInt8]) -> Edge? {
        let isInside = follow(frame)
        guard isInside || MuLaw.loudness(frame[...]) > Self.loudnessMin else { return isOpen ? .paused : nil }
        lastLoudMs = positionMs
        begin()
        loudMs += Self.frameMs
        if isFromScript { speakScript() }
        return loudMs == Self.frameMs ? .began : .wentOn
    }

    private mutating func begin() {
        guard !isOpen else { return }
        isOpen = true
        beganMs = positionMs - Self.frameMs
        loudMs = 0
        said = []
    }

    private var isFromScript: Bool { known.speeches.isEmpty && !script.isEmpty }

    /// True inside known speech, soft frames and all.
    private mutating func follow(_ frame: [UInt8]) -> Bool {
        if var next = place {
            next.frame += 1
            let speech = known.speeches[next.speech]
            let end = (next.frame + 1) * MuLaw.frameBytes
            if end <= speech.audio.count,
                speech.audio[next.frame * MuLaw.frameBytes..<end].elementsEqual(frame)
            {
                place = next
                understand(next, speech)
                return true
            }
            place = nil
            // The last frame is filled up with silence.
            finish(speech, startMs: positionMs - (next.frame + 1) * Self.frameMs)
        }
        guard let found = known.find(frame) else { return false }
        place = found
        begin()
        understand(found, known.speeches[found.speech])
        return true
    }

    private mutating func understand(_ place: KnownFrames.Place, _ speech: KnownSpeech) {
        add(
            speech, heardMs: (place.frame + 1) * Self.frameMs,
            startMs: positionMs - (place.frame + 1) * Self.frameMs)
    }

    /// The words that are left when the speech was followed nearly to its end.
    private mutating func finish(_ speech: KnownSpeech, startMs: Int) {
        let heardMs = positionMs - startMs
        if heardMs + 3 * Self.frameMs >= speech.audio.count / 8 {
            add(speech, heardMs: speech.audio.count / 8 + 1, startMs: startMs)
        }
    }

    private mutating func add(_ speech: KnownSpeech, heardMs: Int, startMs: Int) {
        for (index, word) in speech.words.enumerated() where speech.endsMs[index] <= heardMs {
            let end = startMs + speech.endsMs[index]
            guard end > (said.last?.endMs ?? startMs - 1) else { continue }
            let begin = startMs + (index == 0 ? 0 : speech.endsMs[index - 1])
            said.append((word, begin, end))
        }
    }

    private mutating func speakScript() {
        let words = script[line % script.count].split(separator: " ")
        let due = min(words.count, loudMs / Self.wordMs)
        while said.count < due {
            let start = said.last?.endMs ?? beganMs
            said.append((String(words[said.count]), start, positionMs))
        }
    }

    /// Words so far, in order.
    var words: [(word: String, startMs: Int, endMs: Int)] { said }
    var text: String { said.map(\.word).joined(separator: " ") }

    /// The utterance is over: all its words, and the next line of the script is due.
    mutating func end() -> [(word: String, startMs: Int, endMs: Int)] {
        if isFromScript, isOpen {
            for word in script[line % script.count].split(separator: " ").dropFirst(said.count) {
                said.append((String(word), said.last?.endMs ?? beganMs, lastLoudMs))
            }
            line += 1
        }
        if let place {
            finish(known.speeches[place.speech], startMs: positionMs - (place.frame + 1) * Self.frameMs)
        }
        place = nil
        isOpen = false
        defer { said = [] }
        return said
    }
}
