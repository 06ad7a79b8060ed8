import Base
import Hummingbird
import Store

/// `GET /v1/usage`: what was used and what it cost, from the rated lines of finished calls.
struct UsageRoutes: Routes {
    /// Longest span of one question.
    static let daysMax = 366

    private let usage: UsageStore
    private let routes: RouteStore
    init(_ parts: ControlPlane.Parts) {
        usage = UsageStore(parts.database)
        routes = RouteStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) { router.get("/v1/usage", use: get) }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.usageRead)
        let query = try Convert.query(request, allowed: ["from", "to", "group_by"])
        let to = try Self.time(query, "to") ?? .current
        let from = try Self.time(query, "from") ?? to + .seconds(-30 * 86_400)
        guard from < to, to - from <= .seconds(Self.daysMax * 86_400) else {
            throw Convert.badQuery("from must lie before to, by at most \(Self.daysMax) days")
        }
        let groups = try Self.groups(query["group_by"])
        let lines = try await usage.sum(access.tenant, from: from, to: to, by: groups)
        let savings = try await routes.savings(access.tenant, from: from, to: to, by: groups)
        return Answer.json([
            "from": .time(from), "to": .time(to), "group_by": .strings(groups.map(\.rawValue)),
            "data": .array(lines.map { Self.json($0, groups, savings) }),
        ])
    }

    /// Of the same day and agent; by component it belongs to the language models.
    private static func routing(_ line: UsageStore.Line, _ savings: [RouteStore.Savings]) -> JSON? {
        guard line.component ?? "llm" == "llm" else { return nil }
        return savings.first { $0.day == line.day && $0.agent == line.agent }.map {
            [
                "requests": .number($0.requests), "cost": .string($0.spent.description),
                "always_strong": .string($0.alwaysStrong.description),
                "saved": .string(($0.alwaysStrong - $0.spent).description),
            ]
        }
    }

    private static func time(_ query: [String: String], _ name: String) throws -> Timestamp? {
        guard let text = query[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw Convert.badQuery("\(name) must be a time or a day, like 2026-11-22T16:00:00Z or 2026-11-22")
        }
        return time
    }

    private static func groups(_ text: String?) throws -> [UsageStore.Grouping] {
        let names = (text ?? "").split(separator: ",").map(String.init)
        let groups = names.compactMap(UsageStore.Grouping.init(rawValue:))
        guard groups.count == names.count, Set(names).count == names.count else {
            throw Convert.badQuery("group_by is any of day, agent, component, joined by commas")
        }
        return groups
    }

    private static func json(
        _ line: UsageStore.Line, _ groups: [UsageStore.Grouping], _ savings: [RouteStore.Savings]
    ) -> JSON {
        var members: [String: JSON] = [
            "calls": .number(line.calls), "connected_ms": .int(line.connectedMs),
            "connected_minutes": .double(Double(line.connectedMs) / 60_000),
            "cost": .string(line.cost.description),
        ]
        if groups.contains(.day) { members["day"] = .maybe(line.day) }
        if groups.contains(.agent) { members["agent_id"] = .maybe(line.agent) }
        if groups.contains(.component) { members["component"] = .maybe(line.component) }
        members["routing"] = routing(line, savings)
        return .object(members)
    }
}
