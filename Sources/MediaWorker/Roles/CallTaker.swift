import Agents
import Base
import CallDispatch
import CallQueue
import Logging
import NIOCore
import Telephony

/// Takes waiting outbound calls while slots are free: claims, reports, dials. Media comes in by the media server.
struct CallTaker {
    static let wait: Duration = .seconds(1)
    /// How often a full worker looks for a free slot.
    static let fullPause: Duration = .milliseconds(50)
    /// After Redis failed.
    static let awayPause: Duration = .milliseconds(500)
    /// Entries another worker read and never finished with.
    static let reclaimIdle: Duration = .seconds(10)
    static let reclaimEvery: Duration = .seconds(5)
    static let triesMax = 3
    /// Between the ring limit and giving up: the carrier's own slack and the way of its callbacks.
    static let ringSlack: TimeAmount = .seconds(15)

    private let station: Station
    private let queue: CallQueue

    init(station: Station, queue: CallQueue) {
        self.station = station
        self.queue = queue
    }

    /// Until the task is cancelled or the worker drains; calls being dialed are finished first.
    func run() async {
        await withDiscardingTaskGroup { group in
            var reclaimAt = ContinuousClock.now
            while !Task.isCancelled, !station.live.isDraining {
                guard station.live.hasFreeSlot else {
                    try? await Task.sleep(for: Self.fullPause)
                    continue
                }
                do {
                    if ContinuousClock.now >= reclaimAt {
                        reclaimAt = .now + Self.reclaimEvery
                        for entry in try await queue.reclaim(
                            worker: station.configuration.worker, idle: Self.reclaimIdle)
                        {
                            await take(entry, in: &group)
                        }
                    }
                    guard
                        let entry = try await queue.next(
                            worker: station.configuration.worker, wait: Self.wait)
                    else { continue }
                    // Read while the drain began: left unfinished, it is rung again elsewhere.
                    if station.live.isDraining { break }
                    await take(entry, in: &group)
                } catch {
                    // The driver says when Redis goes and comes; meanwhile nothing can be taken.
                    try? await Task.sleep(for: Self.awayPause)
                }
            }
        }
    }

    /// Claims at once, so that the next entry is not read before this one has its slot; dials beside.
    private func take(_ entry: QueueEntry, in group: inout DiscardingTaskGroup) async {
        let worker = station.configuration.worker
        let plan: Plan?
        do {
            plan = try await station.link.claim(entry.call, tenant: entry.tenant, worker: worker)
        } catch is Refusal {
            plan = nil
        } catch {
            // Left unfinished on purpose: it is reclaimed later, here or elsewhere.
            return
        }
        if let plan { accept(plan, in: &group) }
        // The truth is in the claim; a bell that is not taken down only rings again.
        try? await queue.done(entry)
    }

    private func accept(_ plan: Plan, in group: inout DiscardingTaskGroup) {
        let key = CallKey(call: plan.call, tenant: plan.tenant, epoch: plan.epoch)
        let ring = TimeAmount.seconds(Int64(plan.definition.limits.ringSeconds)) + Self.ringSlack
        let isReserved = station.live.reserve(
            LiveCalls.Dialing(key: key, until: .now() + ring) {
                self.giveUp(key, $0, carrierCallID: nil, plan)
            })
        guard isReserved else {
            // Streams took the last slot between our look and the claim. Not renewed, it is rung again elsewhere.
            station.logger.warning(
                "claimed a call without a slot", metadata: ["call": .string("\(plan.call)")])
            return
        }
        group.addTask { await dial(plan, key) }
    }

    private func dial(_ plan: Plan, _ key: CallKey) async {
        guard await mayDial(key) else { return station.live.release(key.call) }
        let limits = plan.definition.limits
        let dial = TwilioREST.Dial(
            to: plan.to, from: plan.from, url: plan.carrier.voiceURL, statusURL: plan.carrier.statusURL,
            ringSeconds: limits.ringSeconds, limitSeconds: limits.maxSeconds + 60)
        let rest = TwilioREST(account: TwilioAccount(plan.carrier), http: station.http)
        for attempt in 1...Self.triesMax {
            do {
                let sid = try await rest.createCall(dial)
                return accepted(sid, plan, key)
            } catch let fault as Fault {
                if case .after(let pause) = fault.retry, attempt < Self.triesMax {
                    try? await Task.sleep(for: pause * attempt)
                    continue
                }
                // It may ring all the same: the wait for media, or its limit, will tell.
                if fault.retry == .unsafe { return note(fault, key) }
                return refused(fault, key)
            } catch {
                return note(Fault(code: "carrier.failed", retry: .unsafe, cause: "\(type(of: error))"), key)
            }
        }
    }

    /// `dialing` must be acknowledged before the carrier is asked, so that no crash dials a person twice.
    private func mayDial(_ key: CallKey) async -> Bool {
        for attempt in 1...Self.triesMax {
            do {
                try await station.reporter.tellFirst(.dialing, of: key)
                return true
            } catch let fault as Fault where attempt < Self.triesMax {
                guard case .after(let pause) = fault.retry else { break }
                try? await Task.sleep(for: pause * attempt)
            } catch {
                break
            }
        }
        station.logger.warning(
            "call not dialed: nobody took the report", metadata: ["call": .string("\(key.call)")])
        station.reporter.drop(key)
        return false
    }

    private func accepted(_ sid: String, _ plan: Plan, _ key: CallKey) {
        guard station.live.isDialing(key) else {
            // Answered before the carrier's API did; or given up meanwhile, and then nobody is to be rung.
            if !station.live.hasMedia(key.call) { hangUp(sid, plan) }
            return
        }
        station.reporter.tell(.carrierAccepted(carrierCallID: sid), of: key)
        let ring = TimeAmount.seconds(Int64(plan.definition.limits.ringSeconds)) + Self.ringSlack
        station.live.setDialing(
            LiveCalls.Dialing(key: key, until: .now() + ring) {
                self.giveUp(key, $0, carrierCallID: sid, plan)
            })
    }

    private func note(_ fault: Fault, _ key: CallKey) {
        station.logger.warning(
            "carrier's answer is missing",
            metadata: ["call": .string("\(key.call)"), "reason": .string(fault.code)])
        station.reporter.tell(.event(code: fault.code, detail: ""), of: key)
    }

    private func refused(_ fault: Fault, _ key: CallKey) {
        station.logger.warning(
            "carrier refused a call",
            metadata: ["call": .string("\(key.call)"), "reason": .string(fault.code)])
        station.reporter.tell(.event(code: fault.code, detail: fault.cause), of: key)
        let reason: EndReason = fault.code == "carrier.refused" ? .rejected : .carrierFailed
        station.reporter.tell(.ended(reason, connectedMs: 0, usage: []), of: key)
        station.live.release(key.call)
    }

    private func giveUp(_ key: CallKey, _ reason: EndReason, carrierCallID: String?, _ plan: Plan) {
        let isUnknown = reason == .noAnswer && carrierCallID == nil
        station.reporter.tell(.ended(isUnknown ? .carrierFailed : reason, connectedMs: 0, usage: []), of: key)
        if let carrierCallID { hangUp(carrierCallID, plan) }
    }

    private func hangUp(_ sid: String, _ plan: Plan) {
        let rest = TwilioREST(account: TwilioAccount(plan.carrier), http: station.http)
        Task {
            // If the carrier does not listen, its own time-out ends the ringing.
            try? await rest.hangUp(sid)
        }
    }
}
