package import Base
package import Logging
import Synchronization

/// A vendor of language models with scripted replies, a delay to the first token and a token rate.
package final class SimulatedModel: Sendable {
    package let port: Int
    /// The base URL as clients are given it.
    package let url: String
    private let server: LocalServer
    private let desk: ModelDesk

    package static func start(_ settings: ModelSettings = ModelSettings(), logger: Logger) async throws
        -> SimulatedModel
    {
        let desk = ModelDesk(settings)
        let server = try await LocalServer.start(port: settings.port, tls: settings.tls, logger: logger) {
            switch settings.api {
            case .chat: await ChatAnswering(desk: desk).answer($0)
            case .messages: await MessagesAnswering(desk: desk).answer($0)
            }
        }
        return SimulatedModel(server: server, desk: desk)
    }

    private init(server: LocalServer, desk: ModelDesk) {
        self.server = server
        self.desk = desk
        port = server.port
        let host = desk.settings.tls == nil ? "http://127.0.0.1" : "https://localhost"
        url = "\(host):\(server.port)" + (desk.settings.api == .chat ? "/v1" : "")
    }

    package func stop() async { await server.stop() }

    /// Takes effect with the next request.
    package func use(_ script: ChatScript) { desk.state.withLock { $0.script = script } }
    /// The next requests meet these faults, one each, whatever the script says.
    package func fail(_ faults: [ChatScript.Fault]) { desk.state.withLock { $0.faults += faults } }
    /// The body of every request that was understood, oldest first.
    package var requests: [JSON] { desk.state.withLock { $0.requests } }
}
