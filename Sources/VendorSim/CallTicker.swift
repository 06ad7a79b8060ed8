import NIOCore

/// One 20 ms clock for all calls of an event loop, on absolute deadlines: late ticks are made up, never
/// stretched.
///
/// Confined to `loop`.
final class CallTicker: @unchecked Sendable {
    static let tick: TimeAmount = .milliseconds(20)
    /// After a stall longer than this many ticks the clock starts afresh instead of making them all up: 2 s.
    static let madeUpMax = 100

    private let loop: any EventLoop
    private var calls: [CarrierCall] = []
    private var due: NIODeadline?

    init(loop: any EventLoop) { self.loop = loop }

    func add(_ call: CarrierCall) {
        loop.preconditionInEventLoop()
        calls.append(call)
        if due == nil { schedule(.now() + Self.tick) }
    }

    func remove(_ call: CarrierCall) {
        loop.preconditionInEventLoop()
        calls.removeAll { $0 === call }
    }

    private func schedule(_ deadline: NIODeadline) {
        due = deadline
        loop.scheduleTask(deadline: deadline) { self.run() }
    }

    private func run() {
        guard var next = due else { return }
        var made = 0
        while next <= .now() {
            let lateMs = Int((NIODeadline.now() - next).nanoseconds / 1_000_000)
            for call in calls { call.tick(lateMs: lateMs) }
            next = next + Self.tick
            made += 1
            if made >= Self.madeUpMax { next = .now() + Self.tick }
        }
        guard !calls.isEmpty else {
            due = nil
            return
        }
        schedule(next)
    }
}
