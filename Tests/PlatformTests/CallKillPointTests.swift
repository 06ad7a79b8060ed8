import Base
import Billing
import CallDispatch
import Operations
import Store
import Testing

/// How far a call has come when its worker dies.
enum KillPoint: String, CaseIterable, Sendable {
    case admitted, released, claimed, dialing, carrierAccepted, answered, attached, firstUsage, turns,
        holdExtended
    case moved, movedAndAttached, usageOfTwoEpochs, endRequested, carrierCompleted, inboundAdmitted,
        inboundAttached
}

private func usage(_ stt: Int64) -> [Usage] {
    [Usage(component: .stt, source: "offline", unit: .milliseconds, quantity: stt)]
}

private func turn(_ number: Int) -> CallFact {
    .turn(
        .init(
            number: number, speaker: "caller", text: "Tuesday", startMs: 0, endMs: 900, wasInterrupted: false,
            stages: ["heard": 300]))
}

/// Brings a call to the point; returns it with the connected time its worker had confirmed.
private func bring(_ bench: CallBench, to point: KillPoint) async throws -> (ID<Call>, confirmedMs: Int64) {
    if point == .inboundAdmitted || point == .inboundAttached { return try await bringInbound(bench, point) }
    let call = try await bench.admit().id
    try await bench.renew()
    if point == .admitted { return (call, 0) }
    try await bench.superuser("UPDATE calls SET released_at = now() - interval '1 minute', rung_at = now()")
    try await bench.superuser("DELETE FROM outbox")
    if point == .released { return (call, 0) }
    _ = try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)
    if point == .claimed { return (call, 0) }
    try await bench.tell(call, 1, .dialing)
    if point == .dialing { return (call, 0) }
    try await bench.tell(call, 2, .carrierAccepted(carrierCallID: "CA7"))
    if point == .carrierAccepted { return (call, 0) }
    _ = try await ContinueCall(bench.parts).answered(try await bench.find(call), carrierCallID: "CA7")
    if point == .answered { return (call, 0) }
    _ = try await bench.link.attach(try await bench.token(call), worker: bench.worker, carrierCallID: "CA7")
    if point == .attached { return (call, 0) }
    try await bench.tell(call, 3, .usage(usage(5000), connectedMs: 10_000))
    switch point {
    case .turns: try await bench.tell(call, 4, turn(1))
    case .holdExtended: _ = try await bench.link.extendHold(call, tenant: bench.tenant, epoch: 1, number: 1)
    case .endRequested: _ = try await EndCall(bench.parts)(bench.tenant, call)
    case .carrierCompleted:
        try await RecordCarrierStatus(bench.parts)(
            bench.tenant, call, status: "completed", carrierCallID: "CA7")
    case .moved, .movedAndAttached, .usageOfTwoEpochs: return try await move(bench, call, point)
    default: break
    }
    return (call, 10_000)
}

private func move(_ bench: CallBench, _ call: ID<Call>, _ point: KillPoint) async throws -> (
    ID<Call>, confirmedMs: Int64
) {
    let second = ID<Worker>.new()
    try await bench.renew(second)
    _ = try await ContinueCall(bench.parts)(try await bench.find(call), carrierStatus: nil)
    if point == .moved { return (call, 10_000) }
    _ = try await bench.link.attach(try await bench.token(call), worker: second, carrierCallID: "CA7")
    var confirmed: Int64 = 10_000
    if point == .usageOfTwoEpochs {
        try await bench.tell(call, epoch: 2, 1, .usage(usage(100), connectedMs: 3000))
        confirmed += 3000
    }
    try await bench.kill(second)
    return (call, confirmed)
}

private func bringInbound(_ bench: CallBench, _ point: KillPoint) async throws -> (
    ID<Call>, confirmedMs: Int64
) {
    try await bench.renew()
    let call = try await bench.callIn("CA9").id
    guard point == .inboundAttached else { return (call, 0) }
    _ = try await bench.link.attach(try await bench.token(call), worker: bench.worker, carrierCallID: "CA9")
    try await bench.tell(call, 1, .usage(usage(10), connectedMs: 2000))
    return (call, 2000)
}

extension CallBench {
    /// An inbound call as its webhook admits it.
    func callIn(_ carrierCallID: String) async throws -> CallRow {
        guard let number = try await PlanStore(database).owner(of: Self.ownNumber.description) else {
            throw Refusal(code: "test", message: "")
        }
        let request = AdmitInbound.Request(
            carrierCallID: carrierCallID, from: Redacted(Self.otherNumber.description),
            to: Redacted(Self.ownNumber.description))
        _ = try await AdmitInbound(parts)(number, request)
        guard let row = try await CallStore(database).find(tenant, carrierCallID: carrierCallID) else {
            throw Refusal(code: "test", message: "")
        }
        return row
    }

    func addEndpoint() async throws {
        let row = WebhookEndpointRow(
            id: .new(), url: "https://hooks.test", events: ["*"], isEnabled: true, created: .current,
            sealedSecret: [1])
        try await database.tenantTransaction(tenant) { try await WebhookStore.insert(tenant, row, in: $0) }
    }
}

@Test(arguments: KillPoint.allCases)
func aWorkerLostAtAnyPointIsBilledOnceAndHoldsNothing(point: KillPoint) async throws {
    try await CallBench.with { bench in
        try await bench.addEndpoint()
        let (call, confirmedMs) = try await bring(bench, to: point)
        try await bench.kill()
        for _ in 0..<3 {
            try await bench.sweep {
                $0.media = .zero
                $0.queued = .zero
                $0.ringing = .zero
                $0.lastReport = .zero
                $0.ring = .seconds(-100)
            }
        }
        let row = try await bench.find(call)
        #expect(row.state == .ended)
        #expect(row.connectedMs == confirmedMs)
        let prices = Settlement(
            slices: [Slice(epoch: 1, connectedMs: confirmedMs, usage: [])], prices: row.prices
        ).total
        #expect(try #require(row.cost) >= prices)
        // The lost worker comes back and tells the rest: too late to move money.
        let late = row.epoch == 0 ? 1 : row.epoch
        try await bench.tell(
            call, epoch: late, 90, .ended(.agentEnded, connectedMs: 500_000, usage: usage(1)))
        try await bench.sweep()
        #expect(try await bench.find(call).cost == row.cost)
        #expect(try await bench.moneyProblems() == [])
        #expect(try await LedgerStore(bench.database).balances(bench.tenant).held == .zero)
        #expect(
            try await bench.number("SELECT count(*) FROM webhook_messages WHERE type = 'call.ended'") == 1)
        #expect(try await bench.number("SELECT count(*) FROM ledger_entries WHERE kind = 'settlement'") == 1)
        #expect(try await bench.number("SELECT count(*) FROM outbox") == 0)
    }
}

@Test(arguments: 0..<UInt64(12))
func reportsTwiceAndInAnyOrderMakeTheSameBill(seed: UInt64) async throws {
    try await CallBench.with { bench in
        var random = SeededGenerator(seed: seed)
        let call = try await bench.connected().id
        var reports = (1...8).map {
            bench.report(call, 2 + $0, .usage(usage(Int64($0) * 100), connectedMs: $0 * 1000))
        }
        reports += (1...4).map { bench.report(call, 20 + $0, turn($0)) }
        reports += reports
        reports.shuffle(using: &random)
        while !reports.isEmpty {
            let batch = reports.prefix(Int.random(in: 1...5, using: &random))
            reports.removeFirst(batch.count)
            #expect(try await bench.link.report(Array(batch)).fenced == [], "seed \(seed)")
        }
        let last = bench.report(call, 40, .ended(.callerHungUp, connectedMs: 9000, usage: usage(900)))
        _ = try await bench.link.report([last, last])
        let row = try await bench.find(call)
        #expect(row.connectedMs == 9000, "seed \(seed)")
        #expect(try await bench.number("SELECT quantity FROM call_costs WHERE component = 'stt'") == 900)
        #expect(try await bench.number("SELECT count(*) FROM call_turns") == 4)
        #expect(try await bench.moneyProblems() == [], "seed \(seed)")
    }
}

@Test func aRevivedDatabaseGivesEveryWorkerOneLease() {
    var trust = LeaseTrust(lease: .seconds(2))
    func look(_ milliseconds: Int) -> Bool { trust.contact(at: .milliseconds(milliseconds)) }
    let fresh = [0, 1900, 2000].map(look)
    #expect(fresh == [false, false, true])
    trust.lost()
    let regained = [2500, 4400, 4500].map(look)
    #expect(regained == [false, false, true])
    // It did not look for a whole lease: whatever happened meanwhile, it cannot know.
    let afterAPause = look(7000)
    #expect(!afterAPause)
}

@Test func slotsAreSharedByWeightAndNobodyWaitsForAHundredThousand() {
    let (big, small, heavy) = (
        ID<Tenant>(high: 1, low: 1), ID<Tenant>(high: 2, low: 1), ID<Tenant>(high: 3, low: 1)
    )
    var share = FairShare()
    let claims = [
        FairShare.Claim(tenant: big, weight: 1, most: 100_000), .init(tenant: small, weight: 1, most: 1),
        .init(tenant: heavy, weight: 3, most: 100_000),
    ]
    let shared = share.share(9, among: claims)
    let nothing = share.share(0, among: claims)
    let alone = share.share(5, among: [claims[1]])
    #expect(shared == [big: 2, small: 1, heavy: 6])
    #expect(nothing == [:])
    #expect(alone == [small: 1])
}

@Test(arguments: 0..<UInt64(100))
func sharingIsFairInTheLongRun(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let tenants = (0..<UInt64(5)).map { ID<Tenant>(high: $0, low: 1) }
    let weights = tenants.map { _ in Int.random(in: 1...5, using: &random) }
    var share = FairShare()
    var got = [ID<Tenant>: Int]()
    for _ in 0..<2000 {
        let slots = Int.random(in: 0...4, using: &random)
        let claims = zip(tenants, weights).map { FairShare.Claim(tenant: $0, weight: $1, most: 1000) }
        let granted = share.share(slots, among: claims)
        #expect(granted.values.reduce(0, +) == slots, "seed \(seed)")
        for (tenant, count) in granted { got[tenant, default: 0] += count }
    }
    let perWeight = zip(tenants, weights).map { Double(got[$0] ?? 0) / Double($1) }
    #expect((perWeight.max() ?? 0) / max(1, perWeight.min() ?? 1) < 1.1, "seed \(seed) \(perWeight)")
}
