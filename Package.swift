// swift-tools-version: 6.2
import PackageDescription

// Arrows point down only; the compiler keeps them (see docs/ARCHITECTURE.md).

/// Warnings are errors where CI builds, and only there: a newer compiler must not break a user's build.
let warnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + warnings

func nio(_ names: String...) -> [Target.Dependency] {
    names.map { .product(name: $0, package: "swift-nio") }
}
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let ssl = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")

func code(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}
func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "parley",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "parley", targets: ["parley"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // L0: nouns. Pure.
        code("Base"),

        // L1: cores. Pure; none imports another.
        code("Turns", ["Base"]),
        code("Calls", ["Base"]),
        code("Agents", ["Base"]),
        code("Billing", ["Base"]),
        code("Routing", ["Base"]),
        // The speech network's kernel: pure functions in C. Optimised even in debug builds, or calls could not keep up.
        .target(
            name: "CSilero", path: "Sources/System/CSilero", exclude: ["kernel.inc"],
            cSettings: [.unsafeFlags(["-O3"])]),
        code("Audio", ["Base", "CSilero"]),
        // L1b: the one place where cores meet. Pure.
        code("Conversation", ["Base", "Turns", "Calls", "Agents"]),
        // Beside it: callers and vendors that a conversation is tried against. Pure. It imports neither Calls nor Turns, but
        // holds their values in a conversation: a build knows by these names that it is to be made again.
        code("Simulation", ["Base", "Calls", "Agents", "Turns", "Conversation"]),

        // L1c: what a recorded call shows. Pure.
        code("Review", ["Base", "Audio", "Calls", "Agents", "Turns", "Conversation"]),

        // L2: C libraries and async wrappers over them; they know no domain word.
        .systemLibrary(
            name: "CLibPQ", path: "Sources/System/CLibPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CHiredis", path: "Sources/System/CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Sources/System/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CPocketSphinx", path: "Sources/System/CPocketSphinx", pkgConfig: "pocketsphinx",
            providers: [.apt(["libpocketsphinx-dev", "pocketsphinx-en-us"])]),
        .systemLibrary(
            name: "CFlite", path: "Sources/System/CFlite", providers: [.apt(["flite1-dev"])]),
        .target(name: "CCurlShim", dependencies: ["CCurl"], path: "Sources/System/CCurlShim"),
        .target(
            name: "CVoicesShim", dependencies: ["CFlite", "CPocketSphinx"],
            path: "Sources/System/CVoicesShim",
            // flite has no pkg-config file, and C code does not link by module map.
            linkerSettings: [
                "flite_cmu_us_slt", "flite_cmu_us_rms", "flite_cmu_us_awb", "flite_cmu_us_kal",
                "flite_usenglish",
                "flite_cmulex", "flite", "m",
            ].map { .linkedLibrary($0) }),
        code("Connections", ["Base"]),
        code("Postgres", ["Base", "Connections", "CLibPQ", log]),
        code("Redis", ["Base", "Connections", "CHiredis", log]),
        code("HTTPClient", ["Base", "CCurl", "CCurlShim", log]),
        code(
            "WebSockets",
            [
                hummingbirdCore, httpTypes, log, ssl,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ] + nio("NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket")),
        code("OfflineVoices", ["CVoicesShim"]),

        // L3: adapters and protocols.
        code("CallDispatch", ["Base", "Agents", "Billing", "Routing", "HTTPClient", crypto]),
        code("Store", ["Base", "Agents", "Billing", "Routing", "CallDispatch", "Postgres", log, crypto]),
        code("CallQueue", ["Base", "Redis", log, crypto]),
        code(
            "Speech",
            [
                "Base", "Audio", "Agents", "Routing", "HTTPClient", "WebSockets", "OfflineVoices", log,
                metrics,
            ] + nio("NIOCore")),
        code(
            "Telephony",
            ["Base", "Audio", "HTTPClient", "WebSockets", crypto, log] + nio("NIOCore")),
        code(
            "VendorSim",
            [
                "Base", "OfflineVoices", "HTTPClient", "WebSockets", hummingbird, hummingbirdCore, httpTypes,
                crypto, log, ssl, hummingbirdTLS,
            ]
                + nio("NIOCore", "NIOPosix")),

        // L4a: one file a thing the platform does.
        code(
            "Operations",
            [
                "Base", "Agents", "Billing", "Routing", "Postgres", "Store", "CallQueue", "CallDispatch",
                crypto, log,
            ]),

        // L4b: roles; they never see each other.
        code(
            "ControlPlane",
            [
                "Base", "Agents", "Audio", "Billing", "Routing", "Postgres", "Operations", "Store",
                "CallDispatch", "Telephony", "WebSockets", "HTTPClient",
                "CallQueue", hummingbird, hummingbirdCore, httpTypes, crypto, log, metrics,
            ] + nio("NIOCore")),
        code(
            "MediaWorker",
            [
                "Base", "Audio", "Turns", "Calls", "Agents", "Conversation", "Billing", "Routing",
                "CallQueue",
                "Speech", "Review", "Telephony", "CallDispatch", "WebSockets", "HTTPClient", crypto, log,
                metrics,
                lifecycle,
                hummingbird, hummingbirdCore, httpTypes,
            ] + nio("NIOCore", "NIOPosix")),
        code("Dialer", ["Base", "Billing", "Operations", "Store", "CallQueue", log, metrics]),

        // L5: the executable, where parts are joined.
        .executableTarget(
            name: "parley",
            dependencies: [
                "Base", "Agents", "Billing", "Calls", "Conversation", "Turns", "Audio", "Postgres", "Redis",
                "HTTPClient", "WebSockets", "Review",
                "Store", "CallQueue", "Speech", "Telephony", "CallDispatch", "VendorSim", "Operations",
                "ControlPlane", "MediaWorker", "Dialer", "OfflineVoices", "Simulation", "Routing",
                hummingbird, hummingbirdCore, httpTypes, log, metrics, lifecycle, signals, crypto, ssl,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ] + nio("NIOCore", "NIOPosix"),
            swiftSettings: strict),

        code("TestKit", ["Base", "Postgres", "Store", log, ssl]),
        tests("BaseTests", ["Base"]),
        tests("Tidy", []),
        tests("ConnectionsTests", ["Connections"]),
        tests("PostgresTests", ["Base", "Postgres", "TestKit", log]),
        tests("RedisTests", ["Base", "Redis", "TestKit", log]),
        tests(
            "HTTPClientTests",
            ["Base", "HTTPClient", "TestKit", log, ssl]
                + nio("NIOCore", "NIOPosix", "NIOHTTP1")),
        tests(
            "WebSocketsTests",
            [
                "WebSockets", "TestKit", hummingbird, hummingbirdCore, httpTypes, log, lifecycle, ssl,
                hummingbirdTLS,
            ] + nio("NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket")),
        tests("TurnsTests", ["Base", "Turns"]),
        tests("CallsTests", ["Base", "Calls"]),
        tests("AgentsTests", ["Base", "Agents"]),
        tests("AudioTests", ["Base", "Audio", "Telephony"], resources: [.copy("Resources")]),
        tests(
            "ConversationTests", ["Base", "Turns", "Calls", "Agents", "Conversation"],
            resources: [.copy("Golden")]),
        tests("SimulationTests", ["Base", "Calls", "Agents", "Turns", "Conversation", "Simulation"]),
        tests(
            "ReviewTests", ["Base", "Audio", "Agents", "Turns", "Conversation", "Review", "MediaWorker"],
            resources: [.copy("Recordings")]),
        tests("BillingTests", ["Base", "Billing"]),
        tests("RoutingTests", ["Base", "Routing"], resources: [.copy("Resources")]),
        tests("OfflineVoicesTests", ["OfflineVoices"]),
        tests(
            "SpeechTests",
            [
                "Base", "Audio", "Agents", "Routing", "Speech", "OfflineVoices", "HTTPClient", "WebSockets",
                "VendorSim", "TestKit", log, ssl,
            ]
                + nio("NIOCore", "NIOPosix")),
        tests(
            "TelephonyTests",
            ["Base", "Audio", "Telephony", "WebSockets", log] + nio("NIOCore", "NIOEmbedded")),
        tests(
            "VendorSimTests",
            [
                "Base", "VendorSim", "OfflineVoices", "HTTPClient", "WebSockets", hummingbird,
                hummingbirdCore, httpTypes, log,
            ] + nio("NIOCore", "NIOPosix")),
        tests(
            "MediaWorkerTests",
            [
                "Base", "Audio", "Agents", "Billing", "Calls", "Conversation", "CallDispatch", "MediaWorker",
                "Speech", "Telephony", "WebSockets",
                "CallQueue", "TestKit", "Redis", "HTTPClient", log, crypto,
            ] + nio("NIOCore", "NIOPosix", "NIOEmbedded")),
        tests(
            "PlatformTests",
            [
                "Base", "Agents", "Billing", "Calls", "CallDispatch", "Routing", "Store", "CallQueue",
                "Operations", "ControlPlane", "Dialer",
                "Telephony", "TestKit", "Postgres", "Redis", "HTTPClient", "VendorSim", hummingbird,
                hummingbirdCore, httpTypes, log, crypto,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Yams", package: "Yams"),
            ] + nio("NIOCore")),
        // All roles together, as only the executable joins them else.
        tests(
            "SystemTests",
            [
                "Agents", "Base", "Billing", "CallDispatch", "CallQueue", "ControlPlane", "Dialer",
                "HTTPClient",
                "MediaWorker",
                "Operations", "Redis", "Speech", "Store", "TestKit", "VendorSim", "WebSockets", hummingbird,
                lifecycle,
                log, crypto,
            ] + nio("NIOCore", "NIOPosix")),
    ],
    swiftLanguageModes: [.v6]
)
