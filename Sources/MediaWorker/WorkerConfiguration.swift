package import Audio
package import Base
package import Crypto

/// What one worker process is told at its start.
package struct WorkerConfiguration: Sendable {
    package var worker: ID<Worker>
    package var region: String
    /// `ws://host:port` where carriers reach this worker, without the path. nil: made of host and the bound port.
    package var mediaURL: String?
    package var mediaHost: String
    /// 0 takes any free port.
    package var mediaPort: Int
    /// Calls at once. At least 1.
    package var capacity: Int
    /// Directory that receives `<tenant>/<call>.<epoch>.wav` and `.journal`.
    package var recordings: String
    /// Directory for facts that cannot be delivered.
    package var spool: String
    /// Opens media tokens; keys derived from it seal the spool.
    package var workerKey: SymmetricKey
    /// Where carriers and customers reach the control plane.
    package var publicURL: String
    /// How long live calls may go on after the process was asked to end.
    package var drain: Duration
    package var pacing = Pacing.Policy()
    /// Of the speech detector, shared by all calls; nil: speech is told by loudness alone.
    package var weights: SileroVAD.Weights?
    /// Where spans go; nil: none are made.
    package var spans: SpanExporter?
    /// What `/metrics` on the media port answers.
    package var metrics: @Sendable () -> String = { "" }

    package init(
        worker: ID<Worker>, region: String, mediaURL: String?, media: (host: String, port: Int),
        capacity: Int,
        directories: (recordings: String, spool: String), workerKey: SymmetricKey, publicURL: String,
        drain: Duration
    ) {
        self.worker = worker
        self.region = region
        self.mediaURL = mediaURL
        mediaHost = media.host
        mediaPort = media.port
        self.capacity = capacity
        recordings = directories.recordings
        spool = directories.spool
        self.workerKey = workerKey
        self.publicURL = publicURL
        self.drain = drain
    }

    /// Path of the media socket.
    package static let mediaPath = "/media"
}
