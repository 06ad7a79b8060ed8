import Base
import Conversation
import NIOCore
import Telephony

/// Plays the agent's speech to one carrier stream: `Pacing` decides, this sends. On its loop only.
final class Playout {
    /// Of a reader that has stopped: it is let go of when so much waits.
    static let pendingBytesMax = 131_072
    /// `heard` is told at least so often while something plays, milliseconds of audio.
    private static let tellEveryMs = 200

    private(set) var pacing: Pacing
    private let transport: any CallTransport
    private var told: (id: Dialogue.UtteranceID, milliseconds: Int)?
    private(set) var isStalled = false

    init(to transport: any CallTransport, policy: Pacing.Policy = .init()) {
        self.transport = transport
        pacing = Pacing(policy)
    }

    func enqueue(_ id: Dialogue.UtteranceID) { pacing.enqueue(id) }
    func append(_ audio: ByteBuffer, to id: Dialogue.UtteranceID) -> Int? { pacing.append(audio, to: id) }
    func complete(_ id: Dialogue.UtteranceID) -> Int? { pacing.complete(id) }
    func unduck() { pacing.unduck() }
    /// The carrier owes a mark for so long: it does not read what we send, whatever the network's buffers take.
    func owesMark(at now: CallTime, for limit: Duration) -> Bool {
        pacing.markDue.map { now - $0 > limit } ?? false
    }
    func echoed(_ mark: Int, at now: CallTime) { pacing.echoed(mark, at: now) }

    /// Sends all that is due.
    func pump(at now: CallTime) {
        guard pacing.isBusy, !pacing.isPaused else { return }
        isStalled = !transport.isWritable
        guard !isStalled else { return }
        var hasSent = false
        while let order = pacing.next(at: now) {
            hasSent = true
            switch order {
            case .play(let audio): transport.play(audio)
            case .mark(let number): transport.mark(number)
            }
        }
        if hasSent { transport.flush() }
    }

    /// Newly heard audio goes to `record`; what the machine should know comes back.
    func hear(at now: CallTime, isExact: Bool, record: (ByteBuffer) -> Void) -> [Dialogue.Input] {
        guard pacing.isBusy else { return [] }
        var inputs: [Dialogue.Input] = []
        for piece in pacing.hear(at: now) {
            if piece.audio.readableBytes > 0 { record(piece.audio) }
            let milliseconds = piece.samples / 8
            let before = told?.id == piece.id ? told?.milliseconds : nil
            let isDue = before.map { milliseconds - $0 >= Self.tellEveryMs } ?? true
            guard isDue || piece.isFinished || isExact else { continue }
            told = (piece.id, milliseconds)
            inputs.append(.heard(piece.id, milliseconds: milliseconds, isFinished: piece.isFinished))
        }
        return inputs
    }

    func duck(at now: CallTime) {
        guard pacing.duck(at: now) else { return }
        transport.clear()
        pump(at: now)
        transport.flush()
    }

    func pause(at now: CallTime) {
        guard pacing.pause(at: now) else { return }
        transport.clear()
        transport.flush()
    }

    func resume(fromStart: Bool) {
        pacing.resume(fromStart: fromStart)
        if fromStart { told = nil }
    }

    /// Returns the utterances whose synthesis is of no more use.
    func clear(at now: CallTime) -> [Dialogue.UtteranceID] {
        let cleared = pacing.clear(at: now)
        if cleared.needsClear {
            transport.clear()
            transport.flush()
        }
        return cleared.dropped
    }
}
