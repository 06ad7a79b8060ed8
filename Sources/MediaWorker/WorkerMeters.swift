import Metrics
import Synchronization

/// What is measured of all calls of this process, by the names `/metrics` shows.
final class WorkerMeters: Sendable {
    private let counts = Mutex(Pacing.Counts())
    private let frames = Counter(label: "parley_playout_frames_total")
    private let late = Counter(label: "parley_playout_late_frames_total")
    private let underruns = Counter(label: "parley_playout_underruns_total")
    private let refused = Counter(label: "parley_media_refused_total")
    private let live = Gauge(label: "parley_worker_calls_live")
    private let capacity = Gauge(label: "parley_worker_capacity")
    private let waitingReports = Gauge(label: "parley_worker_reports_waiting")

    func refuse() { refused.increment() }

    func played(frames more: Int, late: Int, underruns: Int) {
        counts.withLock { counts in
            counts.frames += more
            counts.late += late
            counts.underruns += underruns
        }
        frames.increment(by: more)
        self.late.increment(by: late)
        self.underruns.increment(by: underruns)
    }

    /// All finished and running calls together, as far as they have told.
    var playout: Pacing.Counts { counts.withLock { $0 } }

    func state(live: Int, capacity: Int, waitingReports: Int) {
        self.live.record(live)
        self.capacity.record(capacity)
        self.waitingReports.record(waitingReports)
    }

    /// One stage of one answer; `labels`: stage, vendor, model.
    func latency(_ labels: [(String, String)], milliseconds: Int) {
        Metrics.Timer(label: "parley_turn_latency_seconds", dimensions: labels)
            .recordMilliseconds(Int64(milliseconds))
    }

    func breach(_ labels: [(String, String)], isCeiling: Bool) {
        Counter(
            label: isCeiling ? "parley_turn_ceiling_breaches_total" : "parley_turn_budget_breaches_total",
            dimensions: labels
        ).increment()
    }

    /// `stage`: final_text, end_of_turn, requested, first_token, first_audio, heard. From the end of the caller's speech.
    func stage(_ stage: String, milliseconds: Int) {
        Metrics.Timer(label: "parley_turn_stage_seconds", dimensions: [("stage", stage)])
            .recordMilliseconds(Int64(milliseconds))
    }
}
