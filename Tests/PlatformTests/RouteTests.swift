import Agents
import Base
import CallDispatch
import Foundation
import HTTPTypes
import Operations
import Routing
import Store
import Testing

private func route(_ number: Int, spent: Int64 = 400_000, handedOver: Bool = false) -> CallFact {
    .route(
        RouteFact(
            number: number, turn: 2, isDraft: false, mode: "probe", model: "openai/small",
            reason: "a tool call is 3 % likely: tried cheap", toolProbability: 0.03,
            expectedCost: Money(nanos: 390_000), expectedWaitMs: 420, spent: Money(nanos: spent),
            alwaysStrong: Money(nanos: 1_000_000), alwaysCheap: Money(nanos: 300_000), handedOver: handedOver)
    )
}

@Test func whichModelAnsweredIsShownWithItsReasonAndCost() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let call = try await bench.connected().id
        try await bench.tell(call, 3, route(1))
        try await bench.tell(call, 4, route(2, spent: 1_300_000, handedOver: true))
        // The same again: as a repeated report, and under a new sequence.
        try await bench.tell(call, 3, route(1))
        try await bench.tell(call, 5, route(1, spent: 7))
        let shown = try await site.send(.get, "/v1/calls/\(call)/routes")
        #expect(shown.status == 200 && shown.json["call_id"]?.string == call.description)
        let routes = try #require(shown.json["routes"]?.array)
        #expect(routes.compactMap { $0["number"]?.int } == [1, 2])
        let first = routes[0]
        #expect(first["mode"] == "probe" && first["model"] == "openai/small" && first["turn"] == 2)
        #expect(first["reason"] == "a tool call is 3 % likely: tried cheap" && first["shadowed"] == .null)
        #expect(first["cost"] == "0.0004" && first["always_strong"] == "0.001")
        #expect(first["always_cheap"] == "0.0003" && first["expected_cost"] == "0.00039")
        #expect(first["expected_wait_ms"] == 420)
        #expect(routes[1]["handed_over"] == true && routes[1]["epoch"] == 1)
        let other = try await RouteStore(bench.database).routes(.new(), call)
        #expect(other.isEmpty, "no other tenant sees them")
    }
}

@Test func savingsAreSummedByAgentAndDayOnceACallIsOver() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let call = try await bench.connected().id
        try await bench.tell(call, 3, route(1))
        try await bench.tell(call, 4, route(2, spent: 1_300_000, handedOver: true))
        let before = try await site.send(.get, "/v1/usage").json["data"]?.array ?? []
        #expect(before.allSatisfy { $0["routing"] == nil })
        let tokens = Usage(component: .llm, source: "openai/small", unit: .inputTokens, quantity: 10)
        try await bench.tell(call, 5, .ended(.agentEnded, connectedMs: 60_000, usage: [tokens]))
        let flow = try await bench.connected().id
        try await bench.tell(flow, 3, .ended(.agentEnded, connectedMs: 60_000, usage: []))
        let saved: JSON = ["requests": 2, "cost": "0.0017", "always_strong": "0.002", "saved": "0.0003"]
        for groups in ["", "?group_by=agent", "?group_by=day,agent"] {
            let lines = try await site.send(.get, "/v1/usage\(groups)").json["data"]?.array ?? []
            #expect(lines.compactMap { $0["routing"] } == [saved], "\(groups)")
        }
        let parts = try await site.send(.get, "/v1/usage?group_by=component").json["data"]?.array ?? []
        #expect(
            parts.filter { $0["routing"] != nil }.compactMap { $0["component"]?.string }.allSatisfy {
                $0 == "llm"
            })
    }
}

@Test func numbersOutOfRangeStopNobody() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let call = try await bench.connected().id
        let wild = RouteFact(
            number: -3, turn: -1, isDraft: true, mode: String(repeating: "m", count: 50), shadowed: "probe",
            model: String(repeating: "x", count: 300), reason: String(repeating: "r", count: 900) + "\0",
            toolProbability: .infinity, expectedCost: Money(nanos: .max), spent: Money(nanos: -5),
            alwaysStrong: .zero, alwaysCheap: .zero, handedOver: false)
        try await bench.tell(call, 3, .route(wild))
        let kept = try await RouteStore(bench.database).routes(bench.tenant, call).first?.route
        #expect(kept?.number == 1 && kept?.turn == 0 && kept?.toolProbability == 0)
        #expect(kept?.spent == .zero && kept?.reason.utf8.count == 500 && kept?.model.utf8.count == 100)
    }
}

@Test func whatADayCostIsKnownToThePlansThatFollow() async throws {
    try await CallBench.with { bench in
        let text = String(decoding: try JSONEncoder().encode(prompt()), as: UTF8.self)
        try await bench.superuser("UPDATE agent_versions SET definition = '\(text)'")
        func plan() async throws -> Plan? {
            try await bench.renew()
            let call = try await bench.admit().id
            return try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)
        }
        let call = try await bench.connected().id
        try await bench.tell(call, 3, route(1))
        #expect(try await plan()?.routing?.spentToday == .zero, "nothing is counted without a budget")
        try await bench.superuser(#"UPDATE tenants SET routing = '{"floor": "probe", "day_budget": "1.5"}'"#)
        try await bench.tell(call, 4, route(2))
        try await bench.tell(call, 4, route(2))
        try await bench.tell(call, 5, route(2))
        try await bench.tell(call, 6, route(3))
        let routing = try #require(try await plan()?.routing)
        #expect(routing.spentToday == Money(nanos: 800_000))
        #expect(routing.rules.floor == .probe && routing.rules.dayBudget == Money(nanos: 1_500_000_000))
        try await bench.superuser("UPDATE routing_days SET day = day - 1")
        #expect(try await plan()?.routing?.spentToday == .zero)
        try await bench.tell(call, 7, route(4, spent: 5))
        #expect(try await plan()?.routing?.spentToday == Money(nanos: 5))
    }
}

private let large = ModelChoice(vendor: "anthropic", model: "large")

private func prompt(_ change: (inout RoutingSettings) -> Void = { _ in }) -> AgentDefinition {
    var definition = AgentDefinition()
    var prompt = Prompt(system: "Be brief.", model: large.model)
    prompt.vendor = large.vendor
    var routing = RoutingSettings(cheap: ModelChoice(vendor: "openai", model: "small"))
    change(&routing)
    prompt.routing = routing
    definition.prompt = prompt
    return definition
}

@Test func whatAnAgentSaysIsWhatTheRouterGoesBy() throws {
    #expect(try RoutingPolicy(#require(prompt().prompt?.routing)) == RoutingPolicy())
    let definition = prompt {
        $0.mode = .shadow
        $0.allow = [.probe, .parallel]
        $0.strongAbove = 0.7
        $0.waitMaxMs = 900
        $0.callBudget = "0.05"
    }
    let policy = RoutingPolicy(try #require(definition.prompt?.routing))
    #expect(policy.isShadow && !policy.allowsCheap && policy.allowsProbe && policy.allowsParallel)
    #expect(
        policy.strongAbove == 0.7 && policy.waitMax == .milliseconds(900) && policy.callBudget == 50_000_000)
    #expect(definition.problemsWithRouting() == [])
}

@Test func aTenantsFloorHoldsWhateverAnAgentAllows() throws {
    let routing = try #require(prompt { $0.allow = [.cheap, .probe, .parallel] }.prompt?.routing)
    var rules = RoutingRules()
    rules.dayBudget = .dollars(2)
    #expect(RoutingPolicy(routing, under: rules).allowsCheap)
    #expect(RoutingPolicy(routing, under: rules).dayBudget == 2_000_000_000)
    rules.floor = .probe
    let probing = RoutingPolicy(routing, under: rules)
    #expect(!probing.allowsCheap && probing.allowsProbe && probing.allowsParallel)
    rules.floor = .strong
    let strong = RoutingPolicy(routing, under: rules)
    #expect(!strong.allowsCheap && !strong.allowsProbe && !strong.allowsParallel)
}

@Test func rulesThatDoNotFitTogetherAreNamedByTheirPlace() {
    let cases: [((inout RoutingSettings) -> Void, String)] = [
        ({ $0.allow = [.cheap, .parallel] }, "allow: parallel stands in for a probe that would be late"),
        ({ $0.canaryShare = 1.5 }, "canary_share: must be 0 to 1"),
        ({ $0.cheapBelow = 0.9 }, "cheap_below: must be 0 to 1 and not above strong_above"),
        ({ $0.callBudget = "-1.00" }, "call_budget: must be above 0"),
        ({ $0.waitMaxMs = 60_001 }, "wait_max_ms: must be 0 to 60000"),
    ]
    for (change, said) in cases {
        let problems = prompt(change).problemsWithRouting().map { "\($0.path): \($0.message)" }
        #expect(problems.count == 1 && problems[0].hasPrefix("prompt.routing." + said), "\(problems)")
    }
}

@Test func aRouterNeedsAPriceForBothAndTheCheapOneToBeCheap() throws {
    var routing = RoutingSettings(cheap: ModelChoice(vendor: "openai", model: "small"))
    routing.strongAbove = 0.7
    func price(_ input: Int64) -> TokenPrice {
        let each = Money(nanos: input)
        return TokenPrice(input: each, cached: each, cacheWrite: each, output: each)
    }
    let router = try Router(routing, strong: large) { price($0.model == "small" ? 1_000 : 5_000) }
    #expect(router.policy.strongAbove == 0.7 && router.cheap.name == "openai/small")
    #expect(throws: RoutingProblem.missingPrice) {
        try Router(routing, strong: large) { $0.model == "small" ? price(1) : nil }
    }
    #expect(throws: RoutingProblem.cheapCostsMore) {
        try Router(routing, strong: large) { price($0.model == "small" ? 6_000 : 5_000) }
    }
}
