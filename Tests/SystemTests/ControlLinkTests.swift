import Agents
import Base
import CallDispatch
import Foundation
import MediaWorker
import Operations
import Store
import TestKit
import Testing
import VendorSim

extension SystemTests {
    /// The worker's HTTP client against the control plane's own routes.
    struct ControlLinkTests {
        /// A queued call and the worker that may claim it.
        private func queued(_ platform: LivePlatform) async throws -> (call: ID<Call>, worker: ID<Worker>) {
            let agent = try await platform.publish(OutboundCallTests.agent)
            let id = try await platform.api.create(
                "/v1/calls",
                [
                    "agent_id": .string(agent), "from": .string(LivePlatform.number), "to": "+12125550147",
                ])
            let worker = ID<Worker>.new()
            let status = WorkerStatus(
                worker: worker, region: platform.region, mediaURL: "ws://127.0.0.1:1", capacity: 5,
                isDraining: false, live: [])
            _ = try await platform.link().renew(status)
            return (try #require(ID<Call>(id)), worker)
        }

        private func report(_ plan: Plan, _ sequence: Int, _ fact: CallFact) -> Report {
            Report(
                call: plan.call, tenant: plan.tenant, epoch: plan.epoch, sequence: sequence,
                at: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)), fact: fact)
        }

        @Test func aCallIsClaimedOnceWithItsWholePlan() async throws {
            try await LivePlatform.with { platform in
                let (call, worker) = try await queued(platform)
                let link = platform.link()
                let plan = try #require(
                    try await link.claim(call, tenant: platform.tenant, worker: worker))
                #expect(plan.epoch == 1 && plan.call == call && plan.definition.flow?.start == "ask")
                let account = platform.outside.carrier.account
                #expect(plan.carrier.accountSID == account.sid)
                #expect(plan.carrier.authToken.reveal == account.authToken)
                #expect(plan.carrier.baseURL == platform.outside.carrier.url)
                #expect(try await link.claim(call, tenant: platform.tenant, worker: .new()) == nil)
                #expect(try await link.claim(.new(), tenant: platform.tenant, worker: worker) == nil)
            }
        }

        @Test func aReportToldTwiceIsStoredOnce() async throws {
            try await LivePlatform.with { platform in
                let (call, worker) = try await queued(platform)
                let link = platform.link()
                let plan = try #require(
                    try await link.claim(call, tenant: platform.tenant, worker: worker))
                let reports = [
                    report(plan, 1, .dialing), report(plan, 2, .carrierAccepted(carrierCallID: "CA1")),
                    report(plan, 3, .ended(.noAnswer, connectedMs: 0, usage: [])),
                ]
                for _ in 0..<3 { #expect(try await link.report(reports).fenced == []) }
                let steps = ["dialing", "carrier_accepted", "ended"]
                #expect(try await platform.events("\(call)").filter(steps.contains) == steps)
                var stale = report(plan, 4, .mediaStarted)
                stale.epoch = 7
                #expect(try await link.report([stale]).fenced == [call])
                let ended = try await platform.ended("\(call)")
                #expect(ended["end_reason"] == "no_answer")
                #expect(try await platform.moneyProblems([ended]) == [])
            }
        }

        @Test func theRulesAndAWrongKeyAreToldApart() async throws {
            try await LivePlatform.with { platform in
                let (call, worker) = try await queued(platform)
                let wrong = platform.link(key: LivePlatform.workerKey + "x")
                await #expect {
                    _ = try await wrong.claim(call, tenant: platform.tenant, worker: worker)
                } throws: {
                    ($0 as? Fault)?.code == "control.unauthorized" && ($0 as? Fault)?.retry == .never
                }
                let link = platform.link()
                let refusal = await #expect(throws: Refusal.self) {
                    try await link.extendHold(call, tenant: platform.tenant, epoch: 9, number: 1)
                }
                #expect(refusal?.code == "stale_epoch")
                #expect(try await link.claim(call, tenant: platform.tenant, worker: worker)?.epoch == 1)
            }
        }

        @Test func whileTheControlPlaneIsAwayReportsWaitOnDiskAndArriveOnce() async throws {
            try await LivePlatform.with { platform in
                let (call, worker) = try await queued(platform)
                let link = platform.link()
                let plan = try #require(
                    try await link.claim(call, tenant: platform.tenant, worker: worker))
                let key = CallKey(call: plan.call, tenant: plan.tenant, epoch: plan.epoch)
                let spool = ReportSpool(
                    directory: platform.directory.path + "/spool", worker: worker.description,
                    key: platform.calls.workerKey, logger: LivePlatform.logger)
                let reporter = Reporter(link: link, spool: spool, logger: LivePlatform.logger) { _ in }
                let running = Task { await reporter.run() }
                try await reporter.tellFirst(.dialing, of: key)
                await platform.control.stop()
                await #expect {
                    _ = try await link.claim(call, tenant: platform.tenant, worker: worker)
                } throws: { ($0 as? Fault)?.code == "control.unreachable" }
                for number in 1...50 {
                    reporter.tell(.event(code: "while_away", detail: "\(number)"), of: key)
                }
                // Settled while nobody answers: they are on disk.
                await withCheckedContinuation { done in
                    reporter.tell(.ended(.carrierFailed, connectedMs: 0, usage: []), of: key) { _ in
                        done.resume()
                    }
                }
                #expect(reporter.waitingCount == 51)
                try await platform.control.start()
                let ended = try await platform.ended("\(call)")
                try await until { reporter.waitingCount == 0 }
                running.cancel()
                await running.value
                let events = try await platform.events("\(call)")
                #expect(events.count { $0 == "while_away" } == 50 && events.count { $0 == "ended" } == 1)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: platform.directory.path + "/spool")
                        == [])
                #expect(try await platform.moneyProblems([ended]) == [])
            }
        }
    }
}
