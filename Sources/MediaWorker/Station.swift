package import Base
package import CallDispatch
import CallQueue
package import HTTPClient
package import Logging
package import NIOCore
import NIOPosix
package import Speech

/// Where sealed checkpoints and the live view of calls go: Redis, which may lose them.
package protocol CallBoard: Sendable {
    func saveCheckpoint(_ call: ID<Call>, sealed: [UInt8]) async throws
    func loadCheckpoint(_ call: ID<Call>) async throws -> [UInt8]?
    func dropCheckpoint(_ call: ID<Call>) async throws
    func publish(event: [UInt8], call: ID<Call>) async throws
}

extension CallQueue: CallBoard {}

extension CallQueue: LineStore, LessonStore {}

/// The voices and the model one call uses.
package struct CallVoices: Sendable {
    package var recogniser: any SpeechToText
    package var synthesiser: any TextToSpeech
    /// nil for a flow, which needs none.
    package var model: (any LanguageModel)?
    package init(recogniser: any SpeechToText, synthesiser: any TextToSpeech, model: (any LanguageModel)?) {
        self.recogniser = recogniser
        self.synthesiser = synthesiser
        self.model = model
    }
}

/// What all calls of a worker share.
package final class Station: Sendable {
    package let configuration: WorkerConfiguration
    package let link: any ControlLink
    package let board: any CallBoard
    package let voices: @Sendable (Plan, any EventLoop) throws -> CallVoices
    package let http: HTTPClient
    package let reporter: Reporter
    package let live: LiveCalls
    package let logger: Logger
    let meters = WorkerMeters()
    /// Frames sent by this worker, how many late, how often a call ran dry.
    package var playout: Pacing.Counts { meters.playout }
    /// Files are written here.
    let pool: NIOThreadPool

    package init(
        _ configuration: WorkerConfiguration, link: any ControlLink, board: any CallBoard, http: HTTPClient,
        voices: @escaping @Sendable (Plan, any EventLoop) throws -> CallVoices, logger: Logger
    ) {
        self.configuration = configuration
        self.link = link
        self.board = board
        self.voices = voices
        self.http = http
        self.logger = logger
        pool = .singleton
        let live = LiveCalls(capacity: configuration.capacity)
        self.live = live
        let spool = ReportSpool(
            directory: configuration.spool, worker: configuration.worker.description,
            key: configuration.workerKey,
            logger: logger)
        reporter = Reporter(link: link, spool: spool, logger: logger) { live.drop($0) }
    }
}
