import Base
import Routing
import Synchronization

/// What each tenant's own calls taught a worker's router. Kept in memory: a worker that starts knows the shipped odds alone.
package final class RoutingLessons: Sendable {
    /// Some 200 KB each; tenants beyond are routed by the shipped odds.
    package static let tenantsMax = 1_000

    private let learned = Mutex<[ID<Tenant>: RoutingOutcomes]>([:])
    private let nothing = RoutingOutcomes()

    package init() {}

    /// `tenant`: nil for one that wants nothing learned.
    func choose(_ request: Router.Request, _ router: Router, of tenant: ID<Tenant>?) -> Router.Choice {
        let outcomes = tenant.flatMap { tenant in learned.withLock { $0[tenant] } }
        return router.choose(request, outcomes: outcomes ?? nothing)
    }

    /// A reply came to its end. What a cheap model did alone says nothing: it may have missed a tool call.
    func note(
        _ request: Router.Request, _ choice: Router.Choice, _ end: RoutedEnd, of tenant: ID<Tenant>
    ) {
        guard choice.mode != .direct(.cheap) else { return }
        learned.withLock { learned in
            guard learned[tenant] != nil || learned.count < Self.tenantsMax else { return }
            var outcomes = learned.removeValue(forKey: tenant) ?? nothing
            outcomes.note(
                request.features, choice.shipped, wasProbed: choice.mode == .probe, wasTool: end.calledTool,
                agent: request.agent)
            // A probe that failed has said nothing of either.
            if choice.mode == .probe, end.fact.handedOver || end.speaker == .cheap {
                outcomes.noteProbe(handedOver: end.fact.handedOver, wasTool: end.calledTool)
            }
            learned[tenant] = outcomes
        }
    }
}
