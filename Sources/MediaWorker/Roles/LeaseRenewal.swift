import Base
import CallDispatch
import Logging
import NIOCore

/// Says twice a second which calls are alive here, and does what the control plane answers.
struct LeaseRenewal {
    static let every: Duration = .milliseconds(500)

    private let station: Station
    private let mediaURL: String

    init(station: Station, mediaURL: String) {
        self.station = station
        self.mediaURL = mediaURL
    }

    /// Until the task is cancelled.
    func run() async {
        let clock = ContinuousClock()
        var next = clock.now
        var isAway = false
        while !Task.isCancelled {
            giveUpDialing()
            isAway = await renew(wasAway: isAway)
            next = max(next + Self.every, clock.now)
            // Cancellation ends the wait; the loop sees it.
            try? await clock.sleep(until: next)
        }
    }

    /// Once more at the end, so that the control plane sends nothing here any more.
    func sayGoodbye() async { _ = await renew(wasAway: true) }

    private func renew(wasAway: Bool) async -> Bool {
        let alive = station.live.alive(at: .now())
        station.meters.state(
            live: station.live.used, capacity: station.live.capacity,
            waitingReports: station.reporter.waitingCount)
        let configuration = station.configuration
        let status = WorkerStatus(
            worker: configuration.worker, region: configuration.region, mediaURL: mediaURL,
            capacity: configuration.capacity, isDraining: station.live.isDraining,
            live: alive)
        do {
            let answer = try await station.link.renew(status)
            if wasAway { station.logger.notice("lease held") }
            follow(answer, alive)
            return false
        } catch {
            if !wasAway {
                let code = (error as? Fault)?.code ?? (error as? Refusal)?.code ?? "unknown"
                station.logger.warning("lease not renewed", metadata: ["reason": .string(code)])
            }
            return true
        }
    }

    private func follow(_ answer: LeaseAnswer, _ asked: [CallKey]) {
        // Under the epoch we asked with: a newer stream of the same call may have come here meanwhile.
        for key in asked where answer.revoked.contains(key.call) {
            station.reporter.drop(key)
            station.live.drop(key)
        }
        for call in answer.toEnd {
            station.live.cancelDialing(call)?.end(.requested)
            station.live.runner(call)?.endSoon()
        }
    }

    private func giveUpDialing() {
        for dialing in station.live.expired(at: .now()) { dialing.end(.noAnswer) }
    }
}
