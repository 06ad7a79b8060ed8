import Base
import CallDispatch
import Foundation
import HTTPTypes
import Operations
import Store
import TestKit
import Testing

private func body(_ site: CallSite, to: String = CallBench.otherNumber.description) -> JSON {
    [
        "agent_id": .string(site.bench.agent.description), "from": .string(CallBench.ownNumber.description),
        "to": .string(to), "variables": ["name": "Ada"], "metadata": ["order": 7],
    ]
}

@Test func aCallIsMadeOnceForOneIdempotencyKey() async throws {
    try await CallSite.with { site in
        let first = try await site.send(.post, "/v1/calls", body(site), headers: ["Idempotency-Key": "k1"])
        #expect(first.status == 202 && first.json["state"] == "queued")
        let again = try await site.send(.post, "/v1/calls", body(site), headers: ["Idempotency-Key": "k1"])
        #expect(again.status == 202 && again.id == first.id && again.header("Idempotent-Replayed") == "true")
        let read = try await site.send(.get, "/v1/calls/\(first.id)")
        #expect(read.json["variables"] == ["name": "Ada"] && read.json["metadata"] == ["order": 7])
        #expect(try await site.bench.number("SELECT count(*) FROM calls") == 1)
        #expect(try await site.bench.moneyProblems() == [])
    }
}

@Test(arguments: [
    ("+19005550100", 422, "destination_refused"), ("+12425550100", 422, "destination_refused"),
    ("911", 422, "validation_failed"), ("+14155550100", 422, "self_call"),
])
func destinationsAreJudgedAtTheDoor(to: String, status: Int, code: String) async throws {
    try await CallSite.with { site in
        let reply = try await site.send(.post, "/v1/calls", body(site, to: to))
        #expect(reply.status == status && reply.code == code)
        #expect(try await site.bench.number("SELECT count(*) FROM calls") == 0)
    }
}

@Test func anEmptyWalletAnswers402AndATopUpOpensTheDoorOnce() async throws {
    try await CallSite.with(dollars: 0) { site in
        let refused = try await site.send(.post, "/v1/calls", body(site))
        #expect(refused.status == 402 && refused.code == "insufficient_funds")
        for _ in 0..<3 {
            let paid = try await site.send(
                .post, "/v1/wallet/top-ups", ["amount": "5.00"], headers: ["Idempotency-Key": "t1"])
            #expect(paid.status == 201)
        }
        #expect(try await site.send(.get, "/v1/wallet").json["balance"] == "5.00")
        #expect(try await site.send(.post, "/v1/calls", body(site)).status == 202)
        #expect(try await site.send(.get, "/v1/wallet").json["held"] == "0.048")
        #expect(try await site.send(.post, "/v1/wallet/top-ups", ["amount": "-5.00"]).status == 422)
    }
}

@Test func aFinishedCallShowsItsBillItsWordsAndItsFiles() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let call = try await bench.connected().id
        try await bench.tell(
            call, 3,
            .turn(
                .init(
                    number: 1, speaker: "caller", text: "On Tuesday", startMs: 100, endMs: 900,
                    wasInterrupted: false,
                    stages: ["heard_ms": 320])))
        try await write(site, call)
        try await bench.tell(
            call, 4, .artifact(kind: .recording, path: "\(call)/1.wav", bytes: 48, milliseconds: 1))
        try await bench.tell(
            call, 5, .artifact(kind: .recording, path: "\(call)/2.wav", bytes: 48, milliseconds: 1))
        try await bench.tell(
            call, 6, .artifact(kind: .recording, path: "../../etc/passwd", bytes: 1, milliseconds: 1))
        try await bench.tell(call, 7, .ended(.agentEnded, connectedMs: 60_000, usage: []))
        let read = try await site.send(.get, "/v1/calls/\(call)")
        #expect(read.json["cost"] == "0.034" && read.json["end_reason"] == "agent_ended")
        #expect(read.json["cost_lines"]?.array?.count == 2)
        #expect(read.json["stages"]?.array?.first?["ms"] == ["heard_ms": 320])
        let transcript = try await site.send(.get, "/v1/calls/\(call)/transcript")
        #expect(transcript.json["turns"]?.array?.first?["text"] == "On Tuesday")
        let events = try await site.send(.get, "/v1/calls/\(call)/events?limit=3")
        #expect(events.json["data"]?.array?.count == 3 && events.json["next_cursor"] == "3")
        #expect(!events.text.contains("Tuesday"))
        let recording = try await site.send(.get, "/v1/calls/\(call)/recording")
        #expect(recording.status == 200 && recording.header("Content-Type") == "audio/wav")
        #expect(recording.text.hasSuffix("abcdwxyz"))
        #expect(try await site.send(.get, "/v1/calls/\(call)/journal").status == 404)
        let usage = try await site.send(.get, "/v1/usage?group_by=agent,component")
        #expect(
            usage.json["data"]?.array?.compactMap { $0["component"]?.string } == ["platform", "telephony"])
        let all = try await site.send(.get, "/v1/usage").json["data"]?.array?.first
        #expect(all?["cost"] == "0.034" && all?["connected_ms"] == 60_000 && all?["calls"] == 1)
    }
}

/// Two files of 4 bytes of sound, the second without its length, as a writer that died leaves it.
private func write(_ site: CallSite, _ call: ID<Call>) async throws {
    let directory = site.recordings.path + "/\(call)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    func file(_ sound: String, length: [UInt8]) -> Data {
        let format: [UInt8] = [16, 0, 0, 0, 1, 0, 2, 0, 0x40, 0x1F, 0, 0, 0, 0x7D, 0, 0, 4, 0, 16, 0]
        let bytes =
            Array("RIFF".utf8) + [40, 0, 0, 0] + Array("WAVEfmt ".utf8) + format + Array("data".utf8) + length
        return Data(bytes + Array(sound.utf8))
    }
    try file("abcd", length: [4, 0, 0, 0]).write(to: URL(fileURLWithPath: directory + "/1.wav"))
    try file("wxyz", length: [255, 255, 255, 255]).write(to: URL(fileURLWithPath: directory + "/2.wav"))
}

@Test func connectedTimeIsCountedOnceACallHoweverItIsGrouped() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        func spoken(_ component: Usage.Component, by source: String) -> Usage {
            Usage(component: component, source: source, unit: .milliseconds, quantity: 5000)
        }
        let first = try await bench.connected().id
        let usage = [
            spoken(.llm, by: "a"), spoken(.llm, by: "b"), spoken(.llm, by: "c"), spoken(.stt, by: "d"),
        ]
        try await bench.tell(first, 3, .ended(.agentEnded, connectedMs: 60_000, usage: usage))
        let second = try await bench.connected().id
        try await bench.tell(
            second, 3, .ended(.agentEnded, connectedMs: 30_000, usage: Array(usage.prefix(2))))
        let count =
            "SELECT count(*) FROM call_costs WHERE component = 'llm' AND call_id = '\(first.uuidString)'"
        #expect(try await bench.number(count) == 3)
        func lines(_ query: String) async throws -> [JSON] {
            try await site.send(.get, "/v1/usage\(query)").json["data"]?.array ?? []
        }
        let parts = try await lines("?group_by=component")
        let times = parts.reduce(into: [String: [Int64?]]()) {
            $0[$1["component"]?.string ?? ""] = [$1["calls"]?.int, $1["connected_ms"]?.int]
        }
        #expect(
            times == [
                "llm": [2, 90_000], "stt": [1, 60_000], "platform": [2, 90_000], "telephony": [2, 90_000],
            ])
        for query in ["", "?group_by=day", "?group_by=agent", "?group_by=day,agent"] {
            let all = try await lines(query)
            #expect(all.map { $0["connected_ms"] } == [90_000] && all.map { $0["calls"] } == [2], "\(query)")
        }
        let sum = parts.compactMap { $0["cost"]?.string.flatMap { Money(decimal: $0) } }.reduce(.zero, +)
        #expect(try await lines("").first?["cost"]?.string == sum.description)
    }
}

@Test func callsAreListedByWhatIsAskedFor() async throws {
    try await CallSite.with { site in
        for _ in 0..<5 { _ = try await site.bench.admit() }
        let ended = try await site.bench.connected()
        try await site.bench.tell(ended.id, 9, .ended(.callerHungUp, connectedMs: 1, usage: []))
        let page = try await site.send(.get, "/v1/calls?limit=2&state=queued")
        #expect(page.json["data"]?.array?.count == 2)
        let next = try #require(page.json["next_cursor"]?.string)
        let rest = try await site.send(.get, "/v1/calls?limit=10&state=queued&cursor=\(next)")
        #expect(rest.json["data"]?.array?.count == 3 && rest.json["next_cursor"] == .null)
        let found = try await site.send(.get, "/v1/calls?end_reason=caller_hung_up&direction=outbound")
        #expect(found.json["data"]?.array?.compactMap { $0["id"]?.string } == [ended.id.description])
        #expect(try await site.send(.get, "/v1/calls?created_before=2020-01-01").json["data"] == [])
        for wrong in ["state=no", "agent_id=x", "created_after=now", "limit=0", "colour=red"] {
            #expect(try await site.send(.get, "/v1/calls?\(wrong)").status == 400, "\(wrong)")
        }
    }
}

@Test func aWaitingCallEndsAtOnceAndALiveOneIsAskedTo() async throws {
    try await CallSite.with { site in
        let waiting = try await site.bench.admit().id
        let ended = try await site.send(.post, "/v1/calls/\(waiting)/end")
        #expect(ended.status == 200 && ended.json["end_reason"] == "requested")
        let live = try await site.bench.connected().id
        let asked = try await site.send(.post, "/v1/calls/\(live)/end")
        #expect(asked.status == 200 && asked.json["end_requested"] == true)
        #expect(try await site.send(.post, "/v1/calls/\(waiting)/end").status == 200)
        #expect(try await site.send(.post, "/v1/calls/\(ID<Call>.new())/end").status == 404)
        #expect(try await site.bench.moneyProblems() == [])
    }
}

@Test func workersSpeakWithTheirKeyAndReadRefusals() async throws {
    try await CallSite.with { site in
        let call = try await site.bench.admit().id
        let claim: JSON = [
            "call": .string(call.description), "tenant": .string(site.bench.tenant.description),
            "worker": .string(site.bench.worker.description),
        ]
        for key in ["", "Bearer ", "Bearer wrong", "Basic " + CallSite.workerKey, CallSite.workerKey] {
            let reply = try await site.raw(
                .post, "/internal/v1/claim",
                headers: ["Authorization": key, "Content-Type": "application/json"], body: claim.text)
            #expect(reply.status == 401, "\(key)")
        }
        let headers = ["Authorization": "Bearer " + CallSite.workerKey, "Content-Type": "application/json"]
        let plan = try await site.raw(.post, "/internal/v1/claim", headers: headers, body: claim.text)
        #expect(plan.status == 200 && plan.json["plan"]?["epoch"] == 1)
        let again = try await site.raw(.post, "/internal/v1/claim", headers: headers, body: claim.text)
        #expect(again.status == 200 && again.json["plan"] ?? .null == .null)
        let hold: JSON = [
            "call": .string(call.description), "tenant": .string(site.bench.tenant.description), "epoch": 9,
            "number": 1,
        ]
        let refused = try await site.raw(.post, "/internal/v1/extend-hold", headers: headers, body: hold.text)
        #expect(refused.status == 409 && refused.code == "stale_epoch")
        let broken = try await site.raw(.post, "/internal/v1/report", headers: headers, body: "[{]")
        #expect(broken.status == 400 && broken.code == "bad_json")
    }
}

@Test func webhooksAreSignedAsTheStandardSays() throws {
    let signature = try #require(WebhookSignature(secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"))
    #expect(
        signature.signature(
            id: "msg_parley_1", seconds: 1_790_000_000, body: Array(#"{"type":"call.ended"}"#.utf8))
            == "v1,GzKqTFDOTgelCLMpluRrSsd5t+BsDI2qVsPA7POBT+E=")
}

@Test func anEndpointIsToldOnceItAnswersAndDroppedWhenItIsGone() async throws {
    try await CallSite.with { site in
        let made = try await site.send(
            .post, "/v1/webhook-endpoints", ["url": "https://hooks.test/parley", "events": ["call.ended"]])
        #expect(made.status == 201)
        let verify = try #require(WebhookSignature(secret: made.json["secret"]?.string ?? ""))
        #expect(try await site.send(.get, "/v1/webhook-endpoints/\(made.id)").json["secret"] == nil)
        let call = try await site.bench.connected().id
        try await site.bench.tell(call, 3, .ended(.agentEnded, connectedMs: 1000, usage: []))
        let statuses = Answers([500, 200, 410])
        let deliver = DeliverWebhooks(site.bench.parts) { url, headers, body, _ in
            #expect(url == "https://hooks.test/parley")
            let header = { (name: String) in headers.first { $0.0 == name }?.1 ?? "" }
            let seconds = Int64(header("webhook-timestamp")) ?? 0
            #expect(
                verify.signature(id: header("webhook-id"), seconds: seconds, body: body)
                    == header("webhook-signature"))
            return await statuses.next()
        }
        #expect(try await deliver() == 1)
        #expect(try await deliver() == 0)
        try await site.bench.superuser("UPDATE webhook_deliveries SET next_at = now()")
        #expect(try await deliver() == 1)
        #expect(
            try await site.bench.number(
                "SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered' AND attempts = 2") == 1)
        let waiting = try await site.bench.admit().id
        _ = try await EndCall(site.bench.parts)(site.bench.tenant, waiting)
        #expect(try await deliver() == 1)
        #expect(try await site.send(.get, "/v1/webhook-endpoints/\(made.id)").json["enabled"] == false)
        #expect(try await site.send(.delete, "/v1/webhook-endpoints/\(made.id)").status == 204)
    }
}

/// Statuses an endpoint answers with, one after the other.
actor Answers {
    private var left: [Int]
    init(_ statuses: [Int]) { left = statuses }
    func next() -> Int { left.isEmpty ? 200 : left.removeFirst() }
}

/// Two epochs of one call: the first one's worker was killed, so nothing of it was ever finished.
@Test func filesOfALostWorkerAreServedWithThoseOfTheNext() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let call = try await bench.connected().id
        try await bench.tell(call, 3, .artifactStarted(kind: .recording, path: "\(call)/1.wav"))
        try await bench.tell(call, 4, .artifactStarted(kind: .journal, path: "\(call)/1.journal"))
        try await bench.kill()
        let second = ID<Worker>.new()
        try await bench.renew(second)
        _ = try await ContinueCall(bench.parts)(try await bench.find(call), carrierStatus: nil)
        let carrierCall = try await bench.find(call).carrierCallID ?? ""
        _ = try await bench.link.attach(
            try await bench.token(call), worker: second, carrierCallID: carrierCall)
        try await bench.tell(call, epoch: 2, 1, .artifactStarted(kind: .recording, path: "\(call)/2.wav"))
        try await bench.tell(call, epoch: 2, 2, .artifactStarted(kind: .journal, path: "\(call)/2.journal"))
        // The first worker's last words come late, and again.
        for _ in 0..<2 {
            let late = try await bench.tell(
                call, 5, .artifactStarted(kind: .journal, path: "\(call)/1.journal"))
            #expect(late.fenced.isEmpty)
        }
        try await write(site, call)
        let directory = URL(fileURLWithPath: site.recordings.path + "/\(call)")
        let first = "{\"agent\":1}\n{\"input\":1}\n"
        try Data((first + "{\"inp").utf8).write(to: directory.appending(path: "1.journal"))
        let next = "{\"agent\":2}\n"
        try Data(next.utf8).write(to: directory.appending(path: "2.journal"))
        // While the call goes on, and when it has ended.
        for isEnded in [false, true] {
            if isEnded {
                try await bench.tell(
                    call, epoch: 2, 3,
                    .artifact(kind: .recording, path: "\(call)/2.wav", bytes: 48, milliseconds: 1))
                try await bench.tell(call, epoch: 2, 4, .ended(.agentEnded, connectedMs: 1000, usage: []))
            }
            let recording = try await site.send(.get, "/v1/calls/\(call)/recording")
            #expect(recording.status == 200 && recording.text.hasSuffix("abcdwxyz"))
            let journal = try await site.send(.get, "/v1/calls/\(call)/journal")
            #expect(journal.text == first + next)
        }
        #expect(
            try await bench.number("SELECT bytes FROM call_artifacts WHERE path = '\(call)/2.wav'") == 48)
        #expect(try await bench.number("SELECT count(*) FROM call_artifacts") == 4)
    }
}
