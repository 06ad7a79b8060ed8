import ControlPlane
import Hummingbird
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The control plane's HTTP side on a port of its own, which can go away and come back.
actor ControlServer {
    let port: Int
    private let router: Router<ControlRequest>
    private var running: (group: ServiceGroup, task: Task<Void, any Error>)?

    init(_ plane: ControlPlane, port: Int) {
        router = plane.router
        self.port = port
    }

    func start() async throws {
        let (bound, bell) = AsyncStream.makeStream(of: Void.self)
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            onServerRunning: { _ in bell.finish() }, logger: LivePlatform.logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: LivePlatform.logger))
        let task = Task {
            defer { bell.finish() }
            try await group.run()
        }
        for await _ in bound {}
        running = (group, task)
    }

    /// Cuts every connection and closes the port.
    func stop() async {
        running?.task.cancel()
        _ = await running?.task.result
        running = nil
    }

    /// A port nothing listens on at this moment: its URL is part of what the control plane signs.
    static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
