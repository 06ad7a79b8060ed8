import ArgumentParser
import Base
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Speech
import VendorSim
import WebSockets

/// What is noticed of a vendor's socket that breaks in the middle of what is said, over TLS.
///
/// A recogniser's breaks in mid-word while the caller speaks on; the same vendor is asked again. A voice's breaks in
/// mid-sentence, its vendor making audio just as fast as it is heard; the next vendor goes on.
struct BenchCuts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cuts",
        abstract: "A recogniser's and a voice's socket cut in the middle; ends in one line of JSON.")

    @Option(help: "Cuts of each kind.") var cuts = 20
    @Option(help: "Where the vendors' certificate goes.") var directory = ".parley/bench-cuts"

    func run() async throws {
        let known = try await KnownSpeech.of(RecitedCall.persona(turns: 8))
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        var delays = VendorGround.Delays.fixed
        delays.speed = 1
        let vendors = try await VendorGround.start(
            delays, known: known, directory: DemoPlatform.absolute(directory), logger: logger)
        let ground = CutGround(vendors)
        var hearings: [CutHearing.Result] = []
        var voices: [CutVoice.Result] = []
        let whole = try await ground.speak(isCut: false).audioMs
        for cut in 0..<cuts {
            BenchWorld.progress("\(cut) of \(cuts) cuts of each kind")
            hearings.append(try await ground.hear(known[cut % known.count]))
            voices.append(try await ground.speak(isCut: true))
        }
        await vendors.stop()
        BenchWorld.progress("")
        let lengths = voices.map { $0.audioMs / max(whole, 1) }
        print(
            JSON.object([
                "cuts": .int(Int64(cuts)),
                "hearing_resumed_ms_p50": hearings.compactMap(\.resumedMs).percentile(50),
                "hearing_resumed_ms_p95": hearings.compactMap(\.resumedMs).percentile(95),
                "words_lost_max": .int(Int64(hearings.map(\.wordsLost).max() ?? 0)),
                "hearing_failed": .int(Int64(hearings.count { $0.resumedMs == nil })),
                "voice_gap_ms_p50": voices.map(\.gapMs).percentile(50),
                "voice_gap_ms_p95": voices.map(\.gapMs).percentile(95),
                "voice_length_min": .double(((lengths.min() ?? 0) * 100).rounded() / 100),
                "voice_length_max": .double(((lengths.max() ?? 0) * 100).rounded() / 100),
                "voice_failed": .int(Int64(voices.count { $0.hasFailed })),
            ]).text)
    }
}

/// The vendors, and what speaks with them.
private struct CutGround {
    private static let loop = MultiThreadedEventLoopGroup.singleton.next()
    private static let tenant = ID<Tenant>(high: 1, low: 1)
    /// Of the voice's messages, those that come before the cut.
    private static let messages = 12

    let vendors: VendorGround
    private let reach: WebSocketReach
    init(_ vendors: VendorGround) {
        self.vendors = vendors
        reach = WebSocketReach(addresses: .anyAddress, caFile: vendors.caFile)
    }

    private func access(_ vendor: SimulatedVendor) -> VendorAccess {
        VendorAccess(key: Redacted("simulated-key"), baseURL: vendor.url)
    }

    func hear(_ speech: KnownSpeech) async throws -> CutHearing.Result {
        let link = RecognitionChain.Link(
            key: .init(stage: "stt", vendor: "deepgram", product: "nova-3"),
            recogniser: DeepgramSpeechToText(
                access: access(vendors.stt), options: DeepgramOptions(), reach: reach))
        let chain = RecognitionChain(
            [link], tenant: Self.tenant, breakers: CircuitBreakers(), accounts: AccountLimits())
        return try await Self.loop.flatSubmit {
            CutHearing(speech, vendors.stt, on: Self.loop).listen(with: chain)
        }.get()
    }

    func speak(isCut: Bool) async throws -> CutVoice.Result {
        if isCut { vendors.tts.trouble([.cut(afterMessages: Self.messages)]) }
        let links = [
            SynthesisChain.Link(
                key: .init(stage: "tts", vendor: "cartesia", product: "sonic"), voice: SpokenWorld.voice,
                synthesiser: SocketTextToSpeech.cartesia(
                    access: access(vendors.tts), options: CartesiaOptions(), reach: reach)),
            SynthesisChain.Link(
                key: .init(stage: "tts", vendor: "elevenlabs", product: "flash"), voice: "v2",
                synthesiser: SocketTextToSpeech.elevenLabs(
                    access: access(vendors.nextTTS), options: ElevenLabsOptions(), reach: reach)),
        ]
        let chain = SynthesisChain(
            links, tenant: Self.tenant, breakers: CircuitBreakers(), accounts: AccountLimits())
        return try await Self.loop.flatSubmit { CutVoice(on: Self.loop).listen(to: chain) }.get()
    }
}

/// One caller whose recogniser's socket breaks while they speak. On its loop only.
private final class CutHearing: @unchecked Sendable {
    struct Result: Sendable {
        /// From the cut to the next words; nil: none came.
        var resumedMs: Double?
        var wordsLost: Int
    }

    private static let frame = TimeAmount.milliseconds(20)
    private static let quiet = ByteBuffer(repeating: 0xFF, count: 160)
    /// Where the socket breaks, of the utterance.
    private static let cutAfter = 0.6
    /// After the utterance its words are awaited so long.
    private static let patience = TimeAmount.seconds(4)

    private let speech: KnownSpeech
    private let vendor: SimulatedVendor
    private let loop: any EventLoop
    private let done: EventLoopPromise<Result>
    private var stream: (any RecognitionStream)?
    private var cutAt: NIODeadline?
    private var resumedMs: Double?
    /// Another socket is asked: what comes now is not left of the first.
    private var hasMoved = false
    private var isOver = false

    init(_ speech: KnownSpeech, _ vendor: SimulatedVendor, on loop: any EventLoop) {
        self.speech = speech
        self.vendor = vendor
        self.loop = loop
        done = loop.makePromise()
    }

    func listen(with chain: RecognitionChain) -> EventLoopFuture<Result> {
        stream = chain.open(RecognitionSettings(language: "en-US"), on: loop) { self.received($0) }
        // A call's socket is there before its first words.
        loop.assumeIsolated().scheduleTask(in: .milliseconds(300)) {
            self.stream?.utteranceStarted()
            self.send(0, at: self.loop.now)
        }
        return done.futureResult
    }

    private var frames: Int { (speech.audio.count + 159) / 160 }

    private func send(_ number: Int, at due: NIODeadline) {
        guard !isOver else { return }
        if number < frames {
            var frame = ByteBuffer(
                bytes: speech.audio[(number * 160)..<min(speech.audio.count, number * 160 + 160)])
            frame.writeRepeatingByte(0xFF, count: 160 - frame.readableBytes)
            stream?.send(frame)
        } else {
            stream?.send(Self.quiet)
        }
        if number == Int(Double(frames) * Self.cutAfter) {
            cutAt = loop.now
            vendor.breakAll()
        }
        if number == frames {
            stream?.utteranceEnded()
            loop.assumeIsolated().scheduleTask(in: Self.patience) { self.end("") }
        }
        loop.assumeIsolated().scheduleTask(deadline: due + Self.frame) {
            self.send(number + 1, at: due + Self.frame)
        }
    }

    private func received(_ event: RecognitionEvent) {
        guard let cutAt else { return }
        switch event {
        case .partial(let text), .final(let text, _):
            guard !text.isEmpty, hasMoved else { return }
            resumedMs = resumedMs ?? Double((loop.now - cutAt).nanoseconds) / 1e6
            if case .final = event { end(text) }
        case .failed: end("")
        case .fellBack: hasMoved = true
        case .endOfTurn, .usage: break
        }
    }

    private func end(_ text: String) {
        guard !isOver else { return }
        isOver = true
        stream?.close()
        stream = nil
        var heard = Words.split(text)
        let lost = speech.words.count { word in
            guard let place = heard.firstIndex(of: word) else { return true }
            heard.remove(at: place)
            return false
        }
        done.succeed(Result(resumedMs: resumedMs, wordsLost: lost))
    }
}

/// One line that is spoken, as a caller hears it. On its loop only.
private final class CutVoice: @unchecked Sendable {
    struct Result: Sendable {
        /// The longest silence after the first sound because there was no audio.
        var gapMs: Double
        var audioMs: Double
        var hasFailed: Bool
    }

    private let loop: any EventLoop
    private let done: EventLoopPromise<Result>
    private var stream: (any SynthesisStream)?
    private var audioMs = 0.0
    private var gapMs = 0.0
    /// When all that came so far has been heard.
    private var playedAt: NIODeadline?

    init(on loop: any EventLoop) {
        self.loop = loop
        done = loop.makePromise()
    }

    func listen(to chain: SynthesisChain) -> EventLoopFuture<Result> {
        chain.warm(voice: SpokenWorld.voice, on: loop)
        loop.assumeIsolated().scheduleTask(in: .milliseconds(300)) {
            self.stream = chain.speak(VendorGround.reply, voice: SpokenWorld.voice, on: self.loop) {
                self.received($0)
            }
        }
        return done.futureResult
    }

    private func received(_ event: SynthesisEvent) {
        switch event {
        case .audio(let audio):
            let (now, milliseconds) = (loop.now, Double(audio.readableBytes) / 8)
            if let playedAt, now > playedAt { gapMs = max(gapMs, Double((now - playedAt).nanoseconds) / 1e6) }
            playedAt = max(playedAt ?? now, now) + .microseconds(Int64(milliseconds * 1000))
            audioMs += milliseconds
        case .finished: end(hasFailed: false)
        case .failed: end(hasFailed: true)
        case .words, .spent, .fellBack: break
        }
    }

    private func end(hasFailed: Bool) {
        stream = nil
        done.succeed(Result(gapMs: gapMs, audioMs: audioMs, hasFailed: hasFailed))
    }
}
