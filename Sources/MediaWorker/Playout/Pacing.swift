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
        /// Frames go out so many at a time, as each write costs more than what it carries. 1...3.
        package var framesAtOnce = 3
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
    private static let halfFrame: Duration = .milliseconds(10)

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
        /// All of it from sample 0, until it is finished: it may have to be said again.
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
        /// From which sample on it was sent how loud.
        var loudness: [(sample: Int, Ducking)] = []
    }

    package private(set) var counts = Counts()
    package private(set) var isPaused = false
    package private(set) var isDucked = false
    private var loudness = Ducking.full
    private let policy: Policy
    /// In order of speech; the first is the one being heard.
    private var utterances: [Utterance] = []
    private var sentPosition: Int64 = 0
    /// When the carrier will have played all it was sent, by our clock.
    private var playEnd = CallTime.zero
    /// The caller heard `position` at `time`; hearing goes on from there.
    private var anchor = (position: Int64(0), time: CallTime.zero)
    /// `due`: when the carrier will have played up to it, by our clock.
    private var openMarks: [(number: Int, position: Int64, due: CallTime)] = []
    private var markNumber = 0
    private var sinceMark = 0
    /// The last frame waited for the clock, not for audio.
    private var isLeadFull = false
    /// Frames are sent until the lead is `filled`, and then none until it is no more than `refilled`.
    private var isFilling = true
    private let filled: Duration
    private let refilled: Duration

    package init(_ policy: Policy = Policy()) {
        self.policy = policy
        filled = policy.lead + Self.frame * policy.framesAtOnce - Self.halfFrame
        refilled = policy.lead + Self.halfFrame
    }

    /// Something of what was sent has not been heard, or waits to be sent.
    package var isBusy: Bool { !utterances.isEmpty }

    /// Samples kept: of all that is not finished.
    package var keptSamples: Int { utterances.reduce(0) { $0 + $1.received } }

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
        if unsent == 0, utterances[index].isComplete { return endMark(of: index, at: now) }
        if sinceMark >= policy.markEverySamples { return .mark(makeMark(at: now)) }
        guard unsent >= Self.frameSamples || (unsent > 0 && utterances[index].isComplete) else {
            isLeadFull = false
            return nil
        }
        guard playEnd < now + (isFilling ? filled : refilled) else {
            isLeadFull = true
            isFilling = false
            return nil
        }
        isFilling = true
        loudness = loudness.next(isDucked: isDucked)
        return .play(loudness.applied(to: send(min(unsent, Self.frameSamples), of: index, at: now)))
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
        let at = utterances[index].audio.readerIndex + utterances[index].sent
        if utterances[index].loudness.last?.1 ?? .full != loudness {
            utterances[index].loudness.append((utterances[index].sent, loudness))
        }
        utterances[index].sent += count
        sentPosition += Int64(count)
        sinceMark += count
        playEnd = playEnd + .nanoseconds(Int64(count) * 125_000)
        // The range is inside the buffer: `sent` never exceeds `received`.
        return utterances[index].audio.viewBytes(at: at, length: count) ?? ByteBuffer().readableBytesView
    }

    private mutating func endMark(of index: Int, at now: CallTime) -> Order {
        let number = makeMark(at: now)
        utterances[index].endMark = number
        if utterances[index].start == nil { utterances[index].start = sentPosition }
        return .mark(number)
    }

    private mutating func makeMark(at now: CallTime) -> Int {
        markNumber += 1
        openMarks.append((markNumber, sentPosition, max(now, playEnd)))
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

    /// Since when the oldest mark should have come back; nil: none is open. In the future while all is well.
    package var markDue: CallTime? { openMarks.first?.due }

    /// Position the caller has heard up to.
    private func heardPosition(at now: CallTime) -> Int64 {
        let elapsed = max(0, (now - anchor.time).nanoseconds) / 125_000
        return min(sentPosition, anchor.position + elapsed)
    }

    /// What has been heard since the last time, utterance by utterance, as loud as it was.
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
            pieces.append(
                Heard(id: first.id, audio: audio(first.heard..<heard), samples: heard, isFinished: isFinished)
            )
            utterances[0].heard = heard
            guard isFinished else { break }
            utterances.removeFirst()
        }
        return pieces
    }

    /// Samples of the first utterance as they were sent.
    private func audio(_ range: Range<Int>) -> ByteBuffer {
        let first = utterances[0]
        let start = first.audio.readerIndex
        guard !first.loudness.isEmpty else {
            return first.audio.getSlice(at: start + range.lowerBound, length: range.count) ?? ByteBuffer()
        }
        var heard = ByteBuffer()
        var at = range.lowerBound
        while at < range.upperBound {
            let loudness = first.loudness.last { $0.sample <= at }?.1 ?? .full
            let end = min(
                range.upperBound, first.loudness.first { $0.sample > at }?.sample ?? range.upperBound)
            if let view = first.audio.viewBytes(at: start + at, length: end - at) {
                heard.writeBytes(loudness.applied(to: view))
            }
            at = end
        }
        return heard
    }

    /// Softer from what the caller hears next. Call `hear` first. True: send `clear`.
    package mutating func duck(at now: CallTime) -> Bool {
        isDucked = true
        return !isPaused && takeBack(at: now)
    }

    /// At full voice again from what is sent next.
    package mutating func unduck() { isDucked = false }

    /// Stops; what was sent but not heard will be sent again by `resume`. Call `hear` first. True: send `clear`.
    package mutating func pause(at now: CallTime) -> Bool {
        isPaused = true
        return takeBack(at: now)
    }

    /// Goes on at full voice with the sample after the last one heard, or with the first of that utterance.
    package mutating func resume(fromStart: Bool) {
        isPaused = false
        isDucked = false
        loudness = .full
        guard fromStart, !utterances.isEmpty else { return }
        utterances[0].sent = 0
        utterances[0].heard = 0
        utterances[0].loudness = []
    }

    /// Drops everything not heard. Call `hear` first. True: send `clear`. Returns whose synthesis to stop.
    package mutating func clear(at now: CallTime) -> (needsClear: Bool, dropped: [Dialogue.UtteranceID]) {
        let dropped = utterances.map(\.id)
        let needsClear = takeBack(at: now)
        utterances = []
        isPaused = false
        isDucked = false
        loudness = .full
        return (needsClear, dropped)
    }

    private mutating func takeBack(at now: CallTime) -> Bool {
        let hadUnheard = playEnd > now || !openMarks.isEmpty
        for index in utterances.indices {
            utterances[index].sent = utterances[index].heard
            utterances[index].loudness.removeAll { [heard = utterances[index].heard] in $0.sample >= heard }
            utterances[index].start = nil
            utterances[index].endMark = nil
            utterances[index].isEndEchoed = false
        }
        openMarks = []
        sinceMark = 0
        isLeadFull = false
        isFilling = true
        playEnd = now
        anchor = (sentPosition, now)
        return hadUnheard
    }
}
