package import Agents
package import Base
package import Routing

// What an agent says of routing, in the router's words: the control plane checks by it, a worker routes by it.

extension RoutingPolicy {
    /// What `settings` does not say stays as it is here. What `rules` forbid is not allowed, whatever `settings` say.
    package init(_ settings: RoutingSettings, under rules: RoutingRules = RoutingRules()) {
        self.init()
        isOff = settings.mode == .off
        isShadow = settings.mode == .shadow
        allowsCheap = settings.allow.contains(.cheap) && rules.floor == .cheap
        allowsProbe = settings.allow.contains(.probe) && rules.floor != .strong
        allowsParallel = settings.allow.contains(.parallel) && rules.floor != .strong
        cheapBelow = settings.cheapBelow ?? cheapBelow
        strongAbove = settings.strongAbove ?? strongAbove
        stickiness = settings.stickiness ?? stickiness
        canaryShare = settings.canaryShare ?? canaryShare
        waitMax = settings.waitMaxMs.map { .milliseconds($0) } ?? waitMax
        callBudget = settings.callBudget.flatMap { Money(decimal: $0)?.nanos }
        dayBudget = rules.dayBudget?.nanos
        strongAfter = Set(settings.strongAfter)
    }
}

extension Router {
    /// The router of a prompt. `price`: of a model's tokens; nil where there is none.
    ///
    /// - Throws: what is wrong, `missingPrice` and `belowFloor` among it: nothing is routed on a guess.
    package init(
        _ routing: RoutingSettings, under rules: RoutingRules = RoutingRules(), strong: ModelChoice,
        price: (ModelChoice) -> TokenPrice?
    ) throws(RoutingProblem) {
        let policy = RoutingPolicy(routing, under: rules)
        guard policy.allowsCheap || policy.allowsProbe || rules.floor == .cheap else {
            throw .belowFloor(rules.floor)
        }
        guard let cheapPrice = price(routing.cheap), let strongPrice = price(strong) else {
            throw .missingPrice
        }
        guard let odds = ToolOdds.shipped else { throw .unreadableWeights("trained on other features") }
        try self.init(
            cheap: Model(name: routing.cheap.source, prices: cheapPrice),
            strong: Model(name: strong.source, prices: strongPrice), policy: policy, odds: odds)
    }
}

extension AgentDefinition {
    /// Everything wrong with it, and rules of routing that do not fit together.
    package func problemsWithRouting() -> [AgentProblem] {
        var problems = problems()
        guard let routing = prompt?.routing else { return problems }
        do throws(RoutingProblem) { try RoutingPolicy(routing).check() } catch {
            problems.append(AgentProblem(path: "prompt.routing" + error.path, message: error.message))
        }
        return problems
    }
}

extension RoutingProblem {
    /// Below `prompt.routing`.
    package var path: String { setting.map { ".\($0)" } ?? "" }
}
