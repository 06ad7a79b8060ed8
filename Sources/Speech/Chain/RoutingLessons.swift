import Base
import Routing
import Synchronization

/// What each tenant's own calls taught a worker's router.
///
/// Kept in memory, and in a store from which a worker that starts takes it up; of several workers each learns by itself, and
/// the last to write is the one whose lessons are taken up.
package final class RoutingLessons: Sendable {
    /// Some 200 KB each; tenants beyond are routed by the shipped odds.
    package static let tenantsMax = 1_000
    /// Outcomes of one tenant that a worker may take with it when it dies.
    package static let unsavedMax = 20

    private struct Lessons {
        var outcomes = RoutingOutcomes()
        /// Noted since they were last stored.
        var unsaved = 0
        var hasNoted = false
    }

    private let learned = Mutex<[ID<Tenant>: Lessons]>([:])
    private let nothing = RoutingOutcomes()
    private let store: (any LessonStore)?

    package init(store: (any LessonStore)? = nil) { self.store = store }

    /// A call of `tenant` begins: what is stored will be there for its first turns.
    func open(_ tenant: ID<Tenant>) {
        let isNew = learned.withLock { learned in
            guard learned[tenant] == nil, learned.count < Self.tenantsMax else { return false }
            learned[tenant] = Lessons()
            return true
        }
        guard isNew, let store else { return }
        Task { await load(tenant, from: store) }
    }

    func load(_ tenant: ID<Tenant>, from store: any LessonStore) async {
        // Without them the shipped odds decide.
        guard let bytes = try? await store.loadLessons(tenant), let stored = RoutingOutcomes(bytes: bytes)
        else {
            return
        }
        learned.withLock { learned in
            // What was seen meanwhile is newer.
            guard learned[tenant]?.hasNoted == false else { return }
            learned[tenant]?.outcomes = stored
        }
    }

    /// `tenant`: nil for one that wants nothing learned.
    func choose(_ request: Router.Request, _ router: Router, of tenant: ID<Tenant>?) -> Router.Choice {
        let outcomes = tenant.flatMap { tenant in learned.withLock { $0[tenant]?.outcomes } }
        return router.choose(request, outcomes: outcomes ?? nothing)
    }

    /// A reply came to its end. What a cheap model did alone says nothing, as it may have missed a tool call; unless it tried
    /// one that could not be made, and the strong model made it.
    func note(
        _ request: Router.Request, _ choice: Router.Choice, _ end: RoutedEnd, of tenant: ID<Tenant>
    ) {
        guard choice.mode != .direct(.cheap) else {
            if end.hasSpoiled, end.calledTool { noteMiss(request, choice, of: tenant) }
            return
        }
        update(tenant) { outcomes in
            outcomes.note(
                request.features, choice.shipped, wasProbed: choice.mode == .probe, wasTool: end.calledTool,
                agent: request.agent)
            // A probe that failed has said nothing of either; one that left the goodbye to the other was right to.
            if choice.mode == .probe, !end.hasClosed, end.fact.handedOver || end.speaker == .cheap {
                outcomes.noteProbe(handedOver: end.fact.handedOver, wasTool: end.calledTool)
            }
        }
    }

    /// The cheap model alone called a tool, and wrongly.
    func noteMiss(_ request: Router.Request, _ choice: Router.Choice, of tenant: ID<Tenant>) {
        update(tenant) { $0.noteMiss(request.features, choice.shipped, agent: request.agent) }
    }

    /// The caller corrected what the cheap model alone had answered.
    func noteCorrection(_ request: Router.Request, _ choice: Router.Choice, of tenant: ID<Tenant>) {
        update(tenant) { $0.noteCorrection(request.features, choice.shipped, agent: request.agent) }
    }

    private func update(_ tenant: ID<Tenant>, _ change: (inout RoutingOutcomes) -> Void) {
        let due = learned.withLock { learned -> RoutingOutcomes? in
            guard learned[tenant] != nil || learned.count < Self.tenantsMax else { return nil }
            var lessons = learned.removeValue(forKey: tenant) ?? Lessons()
            change(&lessons.outcomes)
            lessons.hasNoted = true
            lessons.unsaved = (lessons.unsaved + 1) % Self.unsavedMax
            defer { learned[tenant] = lessons }
            return lessons.unsaved == 0 ? lessons.outcomes : nil
        }
        guard let due, let store else { return }
        Task {
            // Lost lessons are learned again.
            try? await store.saveLessons(tenant, due.bytes)
        }
    }
}
