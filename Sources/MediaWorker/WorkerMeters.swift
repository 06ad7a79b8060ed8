import Metrics

/// What is measured of all calls of this process, by the names `/metrics` shows.
struct WorkerMeters: Sendable {
    let frames = Counter(label: "parley_playout_frames_total")
    let late = Counter(label: "parley_playout_late_frames_total")
    let underruns = Counter(label: "parley_playout_underruns_total")
    let refused = Counter(label: "parley_media_refused_total")
    let live = Gauge(label: "parley_worker_calls_live")
    let capacity = Gauge(label: "parley_worker_capacity")
    let waitingReports = Gauge(label: "parley_worker_reports_waiting")

    /// `stage`: final_text, end_of_turn, first_token, first_audio, heard. From the end of the caller's speech.
    func stage(_ stage: String, milliseconds: Int) {
        Metrics.Timer(label: "parley_turn_stage_seconds", dimensions: [("stage", stage)])
            .recordMilliseconds(Int64(milliseconds))
    }
}
