import Base
import NIOCore
import NIOConcurrencyHelpers

/// What wants to be called every 20 ms on its event loop.
protocol Ticking: AnyObject {
    func tick(at now: NIODeadline)
}

/// One alarm per event loop for all of its calls, on absolute deadlines, so that it neither drifts nor multiplies.
///
/// Used on its loop only; asleep while nobody listens.
final class LoopTick: @unchecked Sendable {
    static let period: TimeAmount = .milliseconds(20)

    private static let all = NIOLockedValueBox<[ObjectIdentifier: LoopTick]>([:])

    static func on(_ loop: any EventLoop) -> LoopTick {
        all.withLockedValue { all in
            if let tick = all[ObjectIdentifier(loop)] { return tick }
            let tick = LoopTick(loop)
            all[ObjectIdentifier(loop)] = tick
            return tick
        }
    }

    private let loop: any EventLoop
    private var listeners: [any Ticking] = []
    private var next: NIODeadline
    private var isRunning = false

    private init(_ loop: any EventLoop) {
        self.loop = loop
        next = loop.now
    }

    func add(_ listener: any Ticking) {
        loop.preconditionInEventLoop()
        listeners.append(listener)
        guard !isRunning else { return }
        isRunning = true
        next = loop.now + Self.period
        arm()
    }

    func remove(_ listener: any Ticking) {
        loop.preconditionInEventLoop()
        listeners.removeAll { $0 === listener }
    }

    private func arm() {
        loop.scheduleTask(deadline: next) { self.fire() }
    }

    private func fire() {
        guard !listeners.isEmpty else {
            isRunning = false
            return
        }
        let now = loop.now
        // A copy: a listener may leave while it is called.
        for listener in listeners { listener.tick(at: now) }
        next = next + Self.period
        // After a stall the missed beats are not made up: each tick sends all that is due.
        if next < now { next = now + Self.period }
        arm()
    }
}
