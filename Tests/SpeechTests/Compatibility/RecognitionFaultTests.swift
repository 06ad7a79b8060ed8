import Base
import NIOCore
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// A recogniser behind a network, and everything that can be wrong with one.
@Suite(.timeLimit(.minutes(2))) struct RecognitionFaultTests {
    enum Vendor: String, CaseIterable, CustomTestStringConvertible {
        case nova, flux
        var testDescription: String { rawValue }
        var options: DeepgramOptions {
            var options = DeepgramOptions()
            if self == .flux { options.model = "flux-general-en" }
            return options
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var trouble: VendorTrouble
        var fault: String
        var testDescription: String { "\(trouble)" }
    }

    static let cases = [
        Case(trouble: .refuse(status: 400, retryAfterSeconds: nil), fault: "stt.bad_request never"),
        Case(trouble: .refuse(status: 401, retryAfterSeconds: nil), fault: "stt.unauthorized never"),
        Case(trouble: .refuse(status: 402, retryAfterSeconds: nil), fault: "stt.quota never"),
        Case(trouble: .refuse(status: 403, retryAfterSeconds: nil), fault: "stt.forbidden never"),
        Case(
            trouble: .refuse(status: 429, retryAfterSeconds: 3), fault: "stt.rate_limited after(3.0 seconds)"),
        Case(
            trouble: .refuse(status: 429, retryAfterSeconds: nil),
            fault: "stt.rate_limited after(1.0 seconds)"),
        Case(
            trouble: .refuse(status: 503, retryAfterSeconds: nil), fault: "stt.unavailable after(0.5 seconds)"
        ),
        Case(trouble: .silence, fault: "stt.silent after(0.0 seconds)"),
        Case(trouble: .stall(afterMessages: 0), fault: "stt.silent after(0.0 seconds)"),
        Case(trouble: .cut(afterMessages: 1), fault: "stt.cut after(0.0 seconds)"),
        Case(trouble: .close(code: 1011, afterMessages: 1), fault: "stt.cut after(0.0 seconds)"),
        Case(trouble: .close(code: 1008, afterMessages: 0), fault: "stt.policy never"),
        Case(trouble: .malformed(afterMessages: 1), fault: "stt.garbled after(0.5 seconds)"),
        Case(trouble: .endless, fault: "stt.endless after(0.5 seconds)"),
        Case(trouble: .wrongFormat, fault: "stt.policy never"),
    ]

    static func start(_ speech: KnownSpeech) async throws -> SimulatedVendor {
        var configuration = SimulatedDeepgram.Configuration()
        configuration.known = [speech]
        configuration.finalDelay = .fixed(.milliseconds(30))
        configuration.vendor.key = "right-key"
        return try await SimulatedDeepgram.start(configuration)
    }

    static func recognizer(_ vendor: SimulatedVendor, _ options: DeepgramOptions, key: String = "right-key")
        -> DeepgramSpeechToText
    {
        DeepgramSpeechToText(
            access: VendorAccess(key: Redacted(key), baseURL: vendor.url), options: options, reach: .anywhere,
            silentMax: .milliseconds(500))
    }

    @Test(arguments: Vendor.allCases, cases)
    func aFaultSaysWhatHappenedAndIfTryingAgainHelps(kind: Vendor, sample: Case) async throws {
        let speech = try await KnownSpeech.spoken("tuesday please", voice: "rms")
        let vendor = try await Self.start(speech)
        vendor.trouble([sample.trouble])
        let caller = try await Caller(Self.recognizer(vendor, kind.options))
        try await caller.say(speech.audio)
        let fault = await caller.events.first { event -> Fault? in
            if case .failed(let fault) = event { fault } else { nil }
        }
        #expect(fault.map { "\($0.code) \($0.retry)" } == sample.fault)
        try await caller.close()
        await vendor.stop()
    }

    @Test func aWrongKeyIsNotTriedAgain() async throws {
        let speech = try await KnownSpeech.spoken("tuesday please", voice: "rms")
        let vendor = try await Self.start(speech)
        let caller = try await Caller(Self.recognizer(vendor, DeepgramOptions(), key: "wrong-key"))
        let fault = await caller.final().fault
        #expect(fault?.code == "stt.unauthorized" && fault?.retry == .never)
        #expect(fault?.cause.contains("wrong-key") == false)
        // Nobody was sent anything: nothing is billed.
        #expect(caller.usage == nil)
        await vendor.stop()
    }

    @Test func anErrorMessageOfFluxIsTheEndOfTheStream() async throws {
        let speech = try await KnownSpeech.spoken("tuesday please", voice: "rms")
        let vendor = try await Self.start(speech)
        vendor.trouble([.error(afterMessages: 1)])
        let caller = try await Caller(Self.recognizer(vendor, Vendor.flux.options))
        try await caller.say(speech.audio)
        let fault = await caller.final().fault
        #expect(fault?.code == "stt.unavailable" && fault?.retry == .after(.zero))
        await vendor.stop()
    }

    @Test(
        arguments: Vendor.allCases,
        [VendorTrouble.splitCharacters, .unknownEvents, .trickle(milliseconds: 0)])
    func oddWaysOfSendingChangeNothing(kind: Vendor, trouble: VendorTrouble) async throws {
        var speech = try await KnownSpeech.spoken("tuesday please", voice: "rms")
        speech = KnownSpeech("montréal s'il", audio: speech.audio)
        let vendor = try await Self.start(speech)
        vendor.trouble([trouble])
        let caller = try await Caller(Self.recognizer(vendor, kind.options))
        try await caller.say(speech.audio)
        // What comes too slowly for the limit on finals is told without its end first.
        let isWhole = await caller.events.first { event -> Bool? in
            if case .final("montréal s'il", _) = event { true } else { nil }
        }
        #expect(isWhole == true)
        try await caller.close()
        await vendor.stop()
    }

    @Test func nobodyThereAndAddressesThatMayNotBeReached() async throws {
        func fault(_ url: String, _ reach: WebSocketReach) async throws -> Fault? {
            let recognizer = DeepgramSpeechToText(
                access: VendorAccess(key: Redacted("k"), baseURL: url), options: DeepgramOptions(),
                reach: reach)
            return await (try await Caller(recognizer)).final().fault
        }
        #expect(try await fault("http://127.0.0.1:1", .anywhere)?.code == "stt.unreachable")
        let refused = try await fault("http://127.0.0.1:1", WebSocketReach { _ in false })
        #expect(refused?.code == "stt.address_refused" && refused?.retry == .never)
        #expect(try await fault("nonsense", .anywhere)?.code == "stt.bad_request")
    }

    @Test func aCertificateThatIsNotTrustedIsNotTriedAgain() async throws {
        let bench = try await AnyRecognizer.novaOverTLS.bench([])
        guard let trusted = bench.recognizer as? DeepgramSpeechToText else { return }
        let caller = try await Caller(
            DeepgramSpeechToText(access: trusted.access, options: trusted.options, reach: .anywhere))
        let fault = await caller.final().fault
        #expect(fault?.code == "stt.untrusted" && fault?.retry == .never)
        await bench.stop()
    }
}
