/// The carrier's play buffer: what was sent to the caller, played 20 ms at a time, with marks between.
///
/// Pure; `tick` is called once each 20 ms of call time.
package struct Playout: Sendable {
    package enum Mark: Hashable, Sendable {
        /// Set by the far end of the media stream, echoed to it.
        case named(String)
        /// The end of what a `<Say>` or `<Play>` put in.
        case verbEnded(Int)
    }

    /// A hole inside speech: the buffer ran dry and more audio came.
    package struct Gap: Hashable, Sendable {
        /// Tick at which silence began.
        package var tick: Int
        /// Ticks of silence heard in the middle of speech.
        package var ticks: Int
    }

    package struct Played: Sendable {
        /// 160 µ-law bytes; nil when there was nothing to play.
        package var frame: [UInt8]?
        package var marks: [Mark]
    }

    /// Ten minutes of audio; more is dropped and counted.
    static let bufferBytesMax = 10 * 60 * MuLaw.sampleRateHz
    static let marksMax = 1000
    /// Silence longer than this between two pieces of audio is a pause, not a hole: 1 s.
    static let gapTicksMax = 50

    package private(set) var framesPlayed = 0
    package private(set) var gaps: [Gap] = []
    package private(set) var bytesDropped = 0

    private var buffer: [UInt8] = []
    private var head = 0
    /// Bytes ever queued and ever played (or cleared): a mark waits for `played` to reach its place.
    private var queued = 0
    private var played = 0
    private var marks: [(mark: Mark, place: Int)] = []
    private var ticks = 0
    private var dryTicks: Int?

    package init() {}

    /// Audio not played yet, in bytes.
    package var waitingBytes: Int { queued - played }

    package mutating func append(_ audio: some Collection<UInt8>) {
        guard waitingBytes + audio.count <= Self.bufferBytesMax else {
            bytesDropped += audio.count
            return
        }
        if head > 65_536 {
            buffer.removeFirst(head)
            head = 0
        }
        buffer.append(contentsOf: audio)
        queued += audio.count
    }

    /// True when everything before the mark has been played already: it is to be echoed at once.
    package mutating func append(_ mark: Mark) -> Bool {
        if waitingBytes == 0 {
            dryTicks = nil
            return true
        }
        if marks.count < Self.marksMax { marks.append((mark, queued)) }
        return false
    }

    /// Empties the buffer. Returns every pending mark: they are echoed at once.
    package mutating func clear() -> [Mark] {
        buffer = []
        head = 0
        played = queued
        dryTicks = nil
        defer { marks = [] }
        return marks.map(\.mark)
    }

    package mutating func tick() -> Played {
        defer { ticks += 1 }
        guard waitingBytes > 0 else {
            if let dry = dryTicks { dryTicks = dry < Self.gapTicksMax ? dry + 1 : nil }
            return Played(frame: nil, marks: [])
        }
        if let dry = dryTicks, dry > 0 { gaps.append(Gap(tick: ticks - dry, ticks: dry)) }
        let frame = take()
        framesPlayed += 1
        let due = marks.prefix { $0.place <= played }
        marks.removeFirst(due.count)
        // A mark at the very end says the utterance is whole; without one, more was to come.
        dryTicks = waitingBytes == 0 && due.last?.place != played ? 0 : nil
        return Played(frame: frame, marks: due.map(\.mark))
    }

    private mutating func take() -> [UInt8] {
        let count = min(MuLaw.frameBytes, waitingBytes)
        var frame = Array(buffer[head..<head + count])
        if count < MuLaw.frameBytes {
            frame.append(contentsOf: repeatElement(MuLaw.silence, count: MuLaw.frameBytes - count))
        }
        head += count
        played += count
        return frame
    }
}
