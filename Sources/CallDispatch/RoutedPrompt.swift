package import Agents
package import Base
package import Routing

// What an agent says of routing, in the router's words: the control plane checks by it, a worker routes by it.

extension RoutingPolicy {
    /// What `settings` does not say stays as it is here.
    package init(_ settings: RoutingSettings) {
        self.init()
        isOff = settings.mode == .off
        isShadow = settings.mode == .shadow
        allowsCheap = settings.allow.contains(.cheap)
        allowsProbe = settings.allow.contains(.probe)
        allowsParallel = settings.allow.contains(.parallel)
        cheapBelow = settings.cheapBelow ?? cheapBelow
        strongAbove = settings.strongAbove ?? strongAbove
        stickiness = settings.stickiness ?? stickiness
        canaryShare = settings.canaryShare ?? canaryShare
        waitMax = settings.waitMaxMs.map { .milliseconds($0) } ?? waitMax
        callBudget = settings.callBudget.flatMap { Money(decimal: $0)?.nanos }
    }
}

extension Router {
    /// The router of a prompt. `price`: of a model's tokens; nil where there is none.
    ///
    /// - Throws: what is wrong, `missingPrice` among it: nothing is routed on a guess.
    package init(
        _ routing: RoutingSettings, strong: ModelChoice, price: (ModelChoice) -> TokenPrice?
    ) throws(RoutingProblem) {
        guard let cheapPrice = price(routing.cheap), let strongPrice = price(strong) else {
            throw .missingPrice
        }
        guard let odds = ToolOdds.shipped else { throw .unreadableWeights("trained on other features") }
        try self.init(
            cheap: Model(name: routing.cheap.source, prices: cheapPrice),
            strong: Model(name: strong.source, prices: strongPrice), policy: RoutingPolicy(routing),
            odds: odds)
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
