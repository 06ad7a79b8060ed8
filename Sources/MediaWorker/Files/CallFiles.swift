import Base
import CallDispatch
import Conversation
import NIOCore

/// What a call leaves on disk and in Redis: recording, journal, checkpoints. On the call's loop only.
final class CallFiles: @unchecked Sendable {
    let recorder: Recorder
    let journal: Journal
    let checkpoints: Checkpoints
    private let root: String
    private let tell: (CallFact) -> Void
    private var isFinished = false

    /// `tell` hears of each file as soon as it is begun, so that a process that dies leaves none that nobody knows.
    init(
        _ plan: Plan, station: Station, checkpoint: Checkpoint?, on loop: any EventLoop,
        tell: @escaping (CallFact) -> Void
    ) {
        self.tell = tell
        root = station.configuration.recordings
        let stem = "\(root)/\(plan.tenant)/\(plan.call).\(plan.epoch)"
        recorder = Recorder(path: stem + ".wav", on: loop, pool: station.pool, logger: station.logger)
        journal = Journal(
            path: stem + ".journal", header: JournalLine.Header(plan, checkpoint: checkpoint), on: loop,
            pool: station.pool, logger: station.logger)
        checkpoints = Checkpoints(plan, board: station.board, logger: station.logger, on: loop)
    }

    /// Media flows: the journal counts among the call's files from now on.
    func begin() { tell(.artifactStarted(kind: .journal, path: relative(journal.path))) }

    /// Starts the recording, or goes on with one that is paused.
    func startRecording(at now: CallTime) {
        let hasStarted = recorder.hasStarted
        recorder.start(at: now)
        if !hasStarted { tell(.artifactStarted(kind: .recording, path: relative(recorder.path))) }
    }

    func beat(at now: CallTime) {
        recorder.settle(at: now)
        journal.flush(at: now)
    }

    /// Closes both files; `done` is called once, on the loop, with the artifacts to report.
    func finish(at now: CallTime, done: @escaping @Sendable ([CallFact]) -> Void) {
        guard !isFinished else { return done([]) }
        isFinished = true
        let recording = relative(recorder.path)
        let lines = relative(journal.path)
        recorder.finish(at: now) { [self] recorded in
            journal.finish { bytes in
                var facts: [CallFact] = []
                if let recorded {
                    facts.append(
                        .artifact(
                            kind: .recording, path: recording, bytes: recorded.bytes,
                            milliseconds: recorded.milliseconds))
                }
                if let bytes {
                    facts.append(
                        .artifact(kind: .journal, path: lines, bytes: bytes, milliseconds: now.milliseconds))
                }
                done(facts)
            }
        }
    }

    private func relative(_ path: String) -> String { String(path.dropFirst(root.count + 1)) }
}
