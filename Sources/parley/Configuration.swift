import ArgumentParser
import Base
import CallDispatch
import Foundation
import Store

enum Role: String, CaseIterable, ExpressibleByArgument {
    case control, dialer, worker
}

/// How a process is told what to be: flags first, then `PARLEY_*`. Read once, at start.
struct SettingsOptions: ParsableArguments {
    @Option(help: "PostgreSQL, `postgresql://user@host/name`. [PARLEY_DATABASE_URL]")
    var databaseURL: String?
    @Option(help: "Redis, `redis://host:port` or `unix:///path`. [PARLEY_REDIS_URL]")
    var redisURL: String?
    @Option(help: "Port of the REST API. [PARLEY_HTTP_PORT, 8080]")
    var httpPort: Int?
    @Option(help: "Port of the media sockets. [PARLEY_MEDIA_PORT, 8081]")
    var mediaPort: Int?
    @Option(help: "Address both ports listen on. [PARLEY_HOST, 127.0.0.1]")
    var host: String?
    @Option(help: "Where carriers and customers reach the API. [PARLEY_PUBLIC_URL]")
    var publicURL: String?
    @Option(help: "Where carriers reach this worker's media sockets, `wss://…`. [PARLEY_MEDIA_URL]")
    var mediaURL: String?
    @Option(help: "The control plane, for a worker in a process of its own. [PARLEY_CONTROL_URL]")
    var controlURL: String?
    @Option(help: "Secret shared by workers and control plane, 16 characters or more. [PARLEY_WORKER_KEY]")
    var workerKey: String?
    @Option(help: "Any of control,dialer,worker. [PARLEY_ROLES, all]")
    var roles: String?
    @Option(help: "Region label of this process's workers and calls. [PARLEY_REGION, local]")
    var region: String?
    @Option(help: "Directory where reports wait, sealed, while the control plane is away. [PARLEY_SPOOL]")
    var spool: String?
    @Option(
        help: "Seconds that live calls get to finish when the process is told to stop. [PARLEY_DRAIN, 600]")
    var drain: Int?
    @Option(help: "Key of the operator, for setting up. [PARLEY_OPERATOR_KEY]")
    var operatorKey: String?
    @Option(help: "32 bytes in base64; seals stored secrets. [PARLEY_MASTER_KEY]")
    var masterKey: String?
    @Option(help: "Directory of the speech detector's weights. [PARLEY_MODELS, ./.parley/models]")
    var models: String?
    @Option(help: "Directory of recordings. [PARLEY_RECORDINGS]")
    var recordings: String?
    @Option(
        help:
            "Private networks that tools and webhooks may reach, CIDRs by comma. [PARLEY_ALLOW_PRIVATE, none]"
    )
    var allowPrivate: String?
    @Option(help: "OpenTelemetry collector, `http://host:4318`. [PARLEY_OTLP_URL, none]")
    var otlpURL: String?
    @Option(
        help:
            "PEM file of authorities trusted beside the system's for vendors, tools and webhooks. [PARLEY_CA_FILE]"
    )
    var caFile: String?
    @Option(help: "Calls this worker carries at once. [PARLEY_CAPACITY, 100]")
    var capacity: Int?
    @Option(help: "Directory of the SQL migrations. [PARLEY_MIGRATIONS, ./migrations]")
    var migrations: String?
}

/// Everything a process needs to know, checked.
struct Configuration {
    var databaseURL: String
    var redisURL: String
    var host: String
    var httpPort: Int
    var mediaPort: Int
    var publicURL: String
    var mediaURL: String
    var controlURL: String?
    var workerKey: String
    var roles: Set<Role>
    var region: String
    var spool: String
    var drain: Duration
    var operatorKey: String?
    var masterKeys: MasterKeys?
    /// Holds `silero-vad.bin`.
    var models: String
    var recordings: String
    var allowPrivate: [String]
    var caFile: String?
    var capacity: Int
    /// Where spans go; nil: nowhere.
    var otlpURL: String?
    /// nil: looked for beside the program and the working directory.
    var migrations: String?

    static let workerKeyLengthMin = 16
    static let capacityRange = 1...10_000

    private static var home: String { FileManager.default.currentDirectoryPath + "/.parley" }

    /// Where the speech detector's weights are.
    static func models(
        _ flag: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        flag ?? environment["PARLEY_MODELS"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/models"
    }

    init(_ options: SettingsOptions, environment: [String: String] = ProcessInfo.processInfo.environment)
        throws
    {
        func text(_ flag: String?, _ name: String) -> String? {
            flag ?? environment["PARLEY_" + name].flatMap { $0.isEmpty ? nil : $0 }
        }
        func number(_ flag: Int?, _ name: String, _ range: ClosedRange<Int>, default standard: Int) throws
            -> Int
        {
            guard let value = text(flag.map(String.init), name) else { return standard }
            guard let number = Int(value), range.contains(number) else {
                throw ValidationError(
                    "PARLEY_\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        let home = Self.home
        databaseURL = text(options.databaseURL, "DATABASE_URL") ?? ""
        redisURL = text(options.redisURL, "REDIS_URL") ?? ""
        host = text(options.host, "HOST") ?? "127.0.0.1"
        httpPort = try number(options.httpPort, "HTTP_PORT", 0...65535, default: 8080)
        mediaPort = try number(options.mediaPort, "MEDIA_PORT", 0...65535, default: 8081)
        publicURL = Self.trimmed(text(options.publicURL, "PUBLIC_URL") ?? "http://\(host):\(httpPort)")
        mediaURL = Self.trimmed(text(options.mediaURL, "MEDIA_URL") ?? "ws://\(host):\(mediaPort)")
        controlURL = text(options.controlURL, "CONTROL_URL").map(Self.trimmed)
        workerKey = text(options.workerKey, "WORKER_KEY") ?? ""
        roles = try Self.roles(text(options.roles, "ROLES"))
        region = text(options.region, "REGION") ?? "local"
        spool = text(options.spool, "SPOOL") ?? home + "/spool"
        drain = .seconds(try number(options.drain, "DRAIN", 0...86_400, default: 600))
        operatorKey = text(options.operatorKey, "OPERATOR_KEY")
        masterKeys = try text(options.masterKey, "MASTER_KEY").map(Self.keys)
        models = Self.models(options.models, environment: environment)
        recordings = text(options.recordings, "RECORDINGS") ?? home + "/recordings"
        allowPrivate = (text(options.allowPrivate, "ALLOW_PRIVATE") ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        caFile = text(options.caFile, "CA_FILE")
        if let caFile, !FileManager.default.isReadableFile(atPath: caFile) {
            throw ValidationError("PARLEY_CA_FILE: \(caFile) cannot be read")
        }
        capacity = try number(options.capacity, "CAPACITY", Self.capacityRange, default: 100)
        otlpURL = text(options.otlpURL, "OTLP_URL").map(Self.trimmed)
        migrations = text(options.migrations, "MIGRATIONS")
    }

    /// Fails with one message that names everything a process of these roles lacks.
    func requireComplete() throws {
        var missing: [String] = []
        let usesDatabase = roles.contains(.control) || roles.contains(.dialer)
        if usesDatabase, databaseURL.isEmpty { missing.append("PARLEY_DATABASE_URL (PostgreSQL)") }
        if redisURL.isEmpty { missing.append("PARLEY_REDIS_URL (Redis)") }
        if usesDatabase, masterKeys == nil { missing.append("PARLEY_MASTER_KEY (`openssl rand -base64 32`)") }
        if workerKey.utf8.count < Self.workerKeyLengthMin {
            missing.append("PARLEY_WORKER_KEY (\(Self.workerKeyLengthMin) characters or more)")
        }
        if !usesDatabase, controlURL == nil {
            missing.append("PARLEY_CONTROL_URL (a worker alone must know its control plane)")
        }
        guard missing.isEmpty else {
            throw ValidationError("not configured:\n  " + missing.joined(separator: "\n  "))
        }
    }

    private static func trimmed(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    private static func roles(_ text: String?) throws -> Set<Role> {
        guard let text else { return Set(Role.allCases) }
        let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        return Set(
            try names.map { name in
                guard let role = Role(rawValue: name) else {
                    throw ValidationError("PARLEY_ROLES: \(name) is not one of control, dialer, worker")
                }
                return role
            })
    }

    private static func keys(_ text: String) throws -> MasterKeys {
        do {
            return try MasterKeys(Redacted(text))
        } catch {
            throw ValidationError(error.message)
        }
    }
}
