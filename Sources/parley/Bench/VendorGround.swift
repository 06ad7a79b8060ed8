import Base
import Foundation
import Logging
import NIOSSL
import VendorSim

/// Simulated vendors of every stage over TLS, with a certificate made for the run.
struct VendorGround {
    struct Delays {
        var final: DelayLaw
        var firstToken: Duration
        /// Of its logarithm; 0: always the same.
        var firstTokenSpread: Double
        var firstAudio: DelayLaw
        /// Audio that a voice makes in a second, seconds.
        var speed = SimulatedDelivery().speed

        /// Issue figures: 150, 200 and 100 ms.
        static let fixed = Delays(
            final: .fixed(.milliseconds(150)), firstToken: .milliseconds(200), firstTokenSpread: 0,
            firstAudio: .fixed(.milliseconds(100)))
        /// The same medians; one in twenty takes 1.6 times as long.
        static let spread = Delays(
            final: .logNormal(median: .milliseconds(150), sigma: 0.3), firstToken: .milliseconds(200),
            firstTokenSpread: 0.3, firstAudio: .logNormal(median: .milliseconds(100), sigma: 0.3))
    }

    static let model = "gpt-6-luna"
    /// Long enough to be interrupted.
    static let reply =
        "I have Tuesday at nine in the morning, or Thursday at four in the afternoon, whichever suits you better."

    let stt: SimulatedVendor
    let llm: SimulatedModel
    let tts: SimulatedVendor
    /// ElevenLabs' sort, for what goes on where `tts` broke off.
    let nextTTS: SimulatedVendor
    /// PEM, for `PARLEY_CA_FILE`.
    let caFile: String

    static func start(_ delays: Delays, known: [KnownSpeech], directory: String, logger: Logger) async throws
        -> VendorGround
    {
        let (tls, caFile) = try certificate(in: directory)
        var deepgram = SimulatedDeepgram.Configuration()
        deepgram.vendor.tls = tls
        deepgram.known = known
        deepgram.finalDelay = delays.final
        var cartesia = SimulatedCartesia.Configuration()
        cartesia.vendor.tls = tls
        cartesia.delivery.firstAudio = delays.firstAudio
        cartesia.delivery.speed = delays.speed
        var elevenLabs = SimulatedElevenLabs.Configuration()
        elevenLabs.vendor.tls = tls
        elevenLabs.delivery = cartesia.delivery
        var model = ModelSettings()
        model.tls = tls
        model.script = ChatScript([], otherwise: ChatScript.Reply(reply))
        model.firstToken = delays.firstToken
        model.firstTokenSpread = delays.firstTokenSpread
        return VendorGround(
            stt: try await SimulatedDeepgram.start(deepgram),
            llm: try await SimulatedModel.start(model, logger: logger),
            tts: try await SimulatedCartesia.start(cartesia),
            nextTTS: try await SimulatedElevenLabs.start(elevenLabs), caFile: caFile)
    }

    func stop() async {
        await stt.stop()
        await llm.stop()
        await tts.stop()
        await nextTTS.stop()
    }

    /// Credentials of a tenant, as a customer would make them.
    func credentials() -> [JSON] {
        [("deepgram", stt.url), ("openai", llm.url), ("cartesia", tts.url)].map { vendor, url in
            [
                "vendor": .string(vendor), "name": "simulated", "api_key": "simulated-key",
                "base_url": .string(url),
            ]
        }
    }

    private static func certificate(in directory: String) throws -> (TLSConfiguration, String) {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let (key, certificate) = (directory + "/vendor-key.pem", directory + "/vendor-ca.pem")
        try run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                key,
                "-out", certificate,
            ])
        let chain = try NIOSSLCertificate.fromPEMFile(certificate)
        return (
            .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))), certificate
        )
    }

    /// A tool of the machine, found on the path.
    static func run(_ tool: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw DemoFailure("\(tool) failed") }
    }
}
