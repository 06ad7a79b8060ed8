package import Base
package import Conversation
package import NIOCore

/// Decides which samples go to the carrier and when, and knows which of them the caller has heard. Pure.
///
/// Audio is µ-law at 8 kHz: one byte is one sample. The carrier plays what it has been sent without gaps, so what
/// is heard follows from the last echoed mark and the clock, bounded by what was sent. Ask `next` until nil on every
/// tick, then `hear`. Positions count samples sent in the whole call; a rewind takes them back.
package struct Pacing: Sendable {
    package struct Policy: Sendable {
        /// Audio kept at the carrier ahead of the caller's ear: more than the network's jitter, little enough that
        /// what `clear` takes back is a syllable. 100...160 ms.
        package var lead: Duration = .milliseconds(120)
        /// Samples between marks inside an utterance: half a second.
        package var markEverySamples = 4000
        /// A carrier that has not echoed an utterance's last mark this long after its end never will.
        package var markGrace: Duration = .seconds(1)
        /// Samples kept for one call: two minutes.
        package var samplesMax = 960_000
        package init() {}
    }

    package static let frameSamples = 160
    package static let frame: Duration = .milliseconds(20)

    package enum Order {
        case play(ByteBufferView)
        case mark(Int)
    }

    /// Newly heard audio of one utterance, and where that leaves it.
    package struct Heard {
        package var id: Dialogue.UtteranceID
        package var audio: ByteBuffer
        package var samples: Int
        package var isFinished: Bool
    }

    package struct Counts: Hashable, Sendable {
        package var frames = 0
        /// Sent more than 20 ms after they were due.
        package var late = 0
        /// Times the carrier ran dry inside an utterance.
        package var underruns = 0
    }

    private struct Utterance {
        let id: Dialogue.UtteranceID
        /// Not yet heard; its reader stands at sample `heard`.
        var audio = ByteBuffer()
        var received = 0
        var sent = 0
        var heard = 0
        var isComplete = false
        /// Position of its first sample; nil before any was sent.
        var start: Int64?
        /// The mark behind its last sample.
        var endMark: Int?
        var isEndEchoed = false
    }

    package private(set) var counts = Counts()
    package private(set) var isPaused = false
    private let policy: Policy
    /// In order of speech; the first is the one being heard.
    private var utterances: [Utterance] = []
    private var sentPosition: Int64 = 0
    /// When the carrier will have played all it was sent, by our clock.
    private var playEnd = CallTime.zero
    /// The caller heard `position` at `time`; hearing goes on from there.
    private var anchor = (position: Int64(0), time: CallTime.zero)
    private var openMarks: [(number: Int, position: Int64)] = []
    private var markNumber = 0
    private var sinceMark = 0
    /// The last frame waited for the clock, not for audio.
    private var isLeadFull = false

    package init(_ policy: Policy = Policy()) { self.policy = policy }

    /// Something of what was sent has not been heard, or waits to be sent.
    package var isBusy: Bool { !utterances.isEmpty }

    /// Samples kept: received and not heard.
    package var keptSamples: Int { utterances.reduce(0) { $0 + $1.received - $1.heard } }

    package mutating func enqueue(_ id: Dialogue.UtteranceID) { utterances.append(Utterance(id: id)) }

    /// Takes more audio of `id`; returns its milliseconds so far, nil when it is not wanted (cleared, or too much).
    package mutating func append(_ audio: ByteBuffer, to id: Dialogue.UtteranceID) -> Int? {
        guard let index = utterances.firstIndex(where: { $0.id == id }), !utterances[index].isComplete,
            keptSamples + audio.readableBytes <= policy.samplesMax
        else { return nil }
        // A cached line comes whole: calls that speak it share its bytes.
        if utterances[index].received == 0 {
            utterances[index].audio = audio
        } else {
            utterances[index].audio.writeImmutableBuffer(audio)
        }
        utterances[index].received += audio.readableBytes
        return utterances[index].received / 8
    }

    /// No more audio of `id` will come; returns its milliseconds, nil when it was cleared.
    package mutating func complete(_ id: Dialogue.UtteranceID) -> Int? {
        guard let index = utterances.firstIndex(where: { $0.id == id }) else { return nil }
        utterances[index].isComplete = true
        return utterances[index].received / 8
    }

    /// The next thing to send at `now`; nil when the lead is full or nothing is there.
    package mutating func next(at now: CallTime) -> Order? {
        guard !isPaused else { return nil }
        guard let index = utterances.firstIndex(where: { $0.endMark == nil }) else { return nil }
        let unsent = utterances[index].received - utterances[index].sent
        if unsent == 0, utterances[index].isComplete { return endMark(of: index) }
        if sinceMark >= policy.markEverySamples { return .mark(makeMark()) }
        guard unsent >= Self.frameSamples || (unsent > 0 && utterances[index].isComplete) else {
            isLeadFull = false
            return nil
        }
        guard playEnd < now + policy.lead + Self.frame else {
            isLeadFull = true
            return nil
        }
        return .play(send(min(unsent, Self.frameSamples), of: index, at: now))
    }

    private mutating func send(_ count: Int, of index: Int, at now: CallTime) -> ByteBufferView {
        // Due when the lead fell below its aim; before the lead was full once, nothing is due.
        if isLeadFull, now - playEnd > Self.frame - policy.lead { counts.late += 1 }
        if playEnd <= now {
            if utterances[index].start != nil { counts.underruns += 1 }
            isLeadFull = false
            playEnd = now
            anchor = (sentPosition, now)
        }
        counts.frames += 1
        if utterances[index].start == nil {
            utterances[index].start = sentPosition - Int64(utterances[index].sent)
        }
        let at = utterances[index].audio.readerIndex + utterances[index].sent - utterances[index].heard
        utterances[index].sent += count
        sentPosition += Int64(count)
        sinceMark += count
        playEnd = playEnd + .nanoseconds(Int64(count) * 125_000)
        // The range is inside the buffer: `sent` never exceeds `received`.
        return utterances[index].audio.viewBytes(at: at, length: count) ?? ByteBuffer().readableBytesView
    }

    private mutating func endMark(of index: Int) -> Order {
        let number = makeMark()
        utterances[index].endMark = number
        if utterances[index].start == nil { utterances[index].start = sentPosition }
        return .mark(number)
    }

    private mutating func makeMark() -> Int {
        markNumber += 1
        openMarks.append((markNumber, sentPosition))
        sinceMark = 0
        return markNumber
    }

    /// The carrier echoed a mark. Marks voided by a clear, and unknown ones, mean nothing.
    package mutating func echoed(_ number: Int, at now: CallTime) {
        guard let index = openMarks.firstIndex(where: { $0.number == number }) else { return }
        anchor = (openMarks[index].position, now)
        openMarks.removeFirst(index + 1)
        for index in utterances.indices where (utterances[index].endMark ?? .max) <= number {
            utterances[index].isEndEchoed = true
        }
    }

    /// Position the caller has heard up to.
    private func heardPosition(at now: CallTime) -> Int64 {
        let elapsed = max(0, (now - anchor.time).nanoseconds) / 125_000
        return min(sentPosition, anchor.position + elapsed)
    }

    /// What has been heard since the last time, utterance by utterance.
    package mutating func hear(at now: CallTime) -> [Heard] {
        var pieces: [Heard] = []
        let position = heardPosition(at: now)
        while let first = utterances.first, let start = first.start {
            let isMarked = first.isEndEchoed
            let heard = isMarked ? first.received : min(first.sent, max(first.heard, Int(position - start)))
            let count = heard - first.heard
            let isOver = first.endMark != nil && heard == first.received
            let isOverdue = now > playEnd + policy.markGrace
            let isFinished = isOver && (isMarked || isOverdue || position > start + Int64(first.received))
            guard count > 0 || isFinished else { break }
            let audio = utterances[0].audio.readSlice(length: count) ?? ByteBuffer()
            utterances[0].heard = heard
            pieces.append(Heard(id: first.id, audio: audio, samples: heard, isFinished: isFinished))
            guard isFinished else { break }
            utterances.removeFirst()
        }
        return pieces
    }

    /// Stops; what was sent but not heard will be sent again by `resume`. Call `hear` first. True: send `clear`.
    package mutating func pause(at now: CallTime) -> Bool {
        isPaused = true
        return takeBack(at: now)
    }

    package mutating func resume() { isPaused = false }

    /// Drops everything not heard. Call `hear` first. True: send `clear`. Returns whose synthesis to stop.
    package mutating func clear(at now: CallTime) -> (needsClear: Bool, dropped: [Dialogue.UtteranceID]) {
        let dropped = utterances.map(\.id)
        let needsClear = takeBack(at: now)
        utterances = []
        isPaused = false
        return (needsClear, dropped)
    }

    private mutating func takeBack(at now: CallTime) -> Bool {
        let hadUnheard = playEnd > now || !openMarks.isEmpty
        for index in utterances.indices {
            utterances[index].sent = utterances[index].heard
            utterances[index].start = nil
            utterances[index].endMark = nil
            utterances[index].isEndEchoed = false
        }
        openMarks = []
        sinceMark = 0
        isLeadFull = false
        playEnd = now
        anchor = (sentPosition, now)
        return hadUnheard
    }
}
