package import Base

/// What a tenant lays down for the routing of all its agents, beside what each of them says.
package struct RoutingRules: Hashable, Sendable, Codable {
    /// The least that may answer in place of the strong model.
    package enum Floor: String, Hashable, Sendable, Codable, CaseIterable {
        /// Whatever an agent allows.
        case cheap
        /// The cheap model, but never alone: it can hand over.
        case probe
        /// Nothing.
        case strong
    }

    package var floor = Floor.cheap
    /// Once the routed requests of a UTC day have cost so much, none is sent to the strong model straight away.
    package var dayBudget: Money?
    package init() {}

    /// - Throws: `outOfRange`; `budgetWithoutCheaperWay` where the floor leaves nothing to save with.
    package func check() throws(RoutingProblem) {
        if let dayBudget, !RoutingPolicy.budgets.contains(dayBudget.nanos) { throw .outOfRange("day_budget") }
        if dayBudget != nil, floor == .strong { throw .budgetWithoutCheaperWay }
    }
}
