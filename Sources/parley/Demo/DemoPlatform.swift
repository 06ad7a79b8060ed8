import Base
import Foundation
import HTTPClient

/// The platform under demonstration: a control plane and workers as separate processes, told apart only by flags.
actor DemoPlatform {
    /// How long a process may take until it answers `/readyz` or `/healthz`.
    static let startLimit: Duration = .seconds(20)
    static let startCheckInterval: Duration = .milliseconds(50)

    struct Layout: Sendable {
        var controlPort: Int
        /// One worker process each.
        var mediaPorts: [Int]
        var directory: String
        var capacity = 100
        /// The only cores that workers and all else may run on; nil: any.
        var cores: (workers: Int, others: Int)?
        /// Of every process.
        var environment: [String: String] = [:]
    }

    nonisolated let layout: Layout
    nonisolated let secrets: DemoSecrets
    private var children: [ChildProcess] = []
    private let http: HTTPClient

    init(layout: Layout, http: HTTPClient) throws {
        self.layout = layout
        self.http = http
        try FileManager.default.createDirectory(atPath: layout.directory, withIntermediateDirectories: true)
        secrets = try DemoSecrets(directory: layout.directory)
    }

    nonisolated var controlURL: String { "http://127.0.0.1:\(layout.controlPort)" }

    func start() async throws {
        children.append(
            try ChildProcess(
                name: "control", arguments: ["serve", "--roles", "control,dialer"],
                environment: common.merging(["PARLEY_HTTP_PORT": "\(layout.controlPort)"]) { _, new in new },
                logDirectory: layout.directory, core: layout.cores?.others))
        try children[0].start()
        try await waitUntilUp(0, url: controlURL + "/readyz")
        for index in layout.mediaPorts.indices { try await startWorker(index) }
    }

    /// Starts worker `index` (again) as a new process.
    func startWorker(_ index: Int) async throws {
        let port = layout.mediaPorts[index]
        let worker = try ChildProcess(
            name: "worker\(index + 1)", arguments: ["serve", "--roles", "worker"],
            environment: common.merging([
                "PARLEY_MEDIA_PORT": "\(port)", "PARLEY_CONTROL_URL": controlURL,
                "PARLEY_SPOOL": layout.directory + "/spool\(index + 1)",
                "PARLEY_CAPACITY": "\(layout.capacity)",
            ]) { _, new in new }, logDirectory: layout.directory, core: layout.cores?.workers)
        if children.count > index + 1 { children[index + 1] = worker } else { children.append(worker) }
        try children[index + 1].start()
        try await waitUntilUp(index + 1, url: "http://127.0.0.1:\(port)/healthz")
    }

    /// Of worker `index`, from 0.
    func processID(ofWorker index: Int) -> Int32 { children[index + 1].processID }
    func killWorker(_ index: Int) { children[index + 1].kill() }

    func stop() async {
        for child in children.reversed() { await child.stop() }
        children = []
    }

    private var common: [String: String] {
        layout.environment.merging([
            "PARLEY_WORKER_KEY": secrets.workerKey, "PARLEY_MASTER_KEY": secrets.masterKey,
            "PARLEY_OPERATOR_KEY": secrets.operatorKey, "PARLEY_PUBLIC_URL": controlURL,
            "PARLEY_RECORDINGS": layout.directory + "/recordings", "PARLEY_ALLOW_PRIVATE": "127.0.0.0/8",
            "PARLEY_DRAIN": "5", "PARLEY_HOST": "127.0.0.1",
        ]) { given, _ in given }
    }

    private func waitUntilUp(_ index: Int, url: String) async throws {
        let limit = ContinuousClock.now + Self.startLimit
        while ContinuousClock.now < limit {
            guard children[index].isRunning else {
                throw DemoFailure("\(children[index].name) ended at start:\n\(children[index].tail())")
            }
            // Refused connections are what waiting looks like.
            if let answer = try? await http.send(HTTPRequest(method: "GET", url: url)), answer.status == 200 {
                return
            }
            try await Task.sleep(for: Self.startCheckInterval)
        }
        throw DemoFailure(
            "\(children[index].name) did not get ready within \(Self.startLimit):\n\(children[index].tail())")
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// A port nothing listens on at this moment.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw DemoFailure("no socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw DemoFailure("no free port on 127.0.0.1") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Keys of the demonstration, made once and kept (0600), so that a second run can read what the first one sealed.
struct DemoSecrets: Sendable {
    let masterKey: String
    let workerKey: String
    let operatorKey: String

    init(directory: String) throws {
        func kept(_ name: String, _ make: () -> String) throws -> String {
            let path = directory + "/\(name)"
            if let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty { return text }
            let text = make()
            guard
                FileManager.default.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else { throw DemoFailure("cannot write \(path)") }
            return text
        }
        func random(_ bytes: Int) -> Data {
            var generator = SystemRandomNumberGenerator()
            return Data((0..<bytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        }
        masterKey = try kept("master-key") { random(32).base64EncodedString() }
        workerKey = try kept("worker-key") { random(24).base64EncodedString() }
        operatorKey = try kept("operator-key") {
            "operator-" + random(24).map { String($0, radix: 16) }.joined()
        }
    }
}
