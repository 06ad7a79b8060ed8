import Base
import NIOCore
import WebSockets

/// One call's socket to Deepgram. On the call's loop only.
///
/// Owns: the socket, what audio has gone there, when it is kept alive and given up. Does not own: what messages mean
/// (the dialect).
final class DeepgramListening: RecognitionStream, @unchecked Sendable {
    /// How often usage is told, and silence looked at.
    static let tickEvery = TimeAmount.seconds(1)
    /// Deepgram leaves after 10 s without a frame.
    private static let keepAliveAfterTicks = 4
    /// Messages in one tick; a vendor sends some 20.
    private static let messagesMax = 1_000
    /// Stretches of silence put into the audio that are remembered.
    private static let insertionsMax = 1_000
    private static let bytesPerMs = 8
    private static let silence: UInt8 = 0xFF

    private var dialect: any DeepgramDialect
    private let source: String
    private let silentMax: Duration
    private let loop: any EventLoop
    private let events: @Sendable (RecognitionEvent) -> Void
    private var socket: VendorSocket?
    private var pieces: AudioPieces
    private var sent = SentAudio()
    private var messages = 0
    /// Since when the vendor owes an answer to speech.
    private var owesSince: NIODeadline?
    private var ticking: Scheduled<Void>?
    private var waiting: Scheduled<Void>?
    private var isOver = false

    /// Bytes of audio handed to the socket, and what of it the caller never sent.
    private struct SentAudio {
        var bytes = 0
        var toldBytes = 0
        /// There was a socket to send it to.
        var isReceived = false
        var quietTicks = 0
        var insertions: [(atMs: Int, lengthMs: Int)] = []
    }

    /// `silentMax`: speech went there and nothing at all came back for so long.
    init(
        _ dialect: any DeepgramDialect, source: String, silentMax: Duration, loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) {
        self.dialect = dialect
        pieces = AudioPieces(usualBytes: dialect.pieceBytes)
        self.source = source
        self.silentMax = silentMax
        self.loop = loop
        self.events = events
    }

    func start(_ url: String, headers: [(String, String)], reach: WebSocketReach) {
        let socket = VendorSocket(faults: VendorFaults(stage: "stt"))
        self.socket = socket
        socket.open(url, headers: headers, reach: reach, on: loop) { [weak self] event in
            switch event {
            case .opened: self?.sent.isReceived = true
            case .binary: break
            case .text(let text): self?.received(text)
            case .failed(let fault): self?.end(fault)
            }
        }
        tickLater()
    }

    func failSoon(_ fault: Fault) { loop.execute { self.end(fault) } }

    func send(_ audio: ByteBuffer) {
        guard !isOver else { return }
        sent.quietTicks = 0
        pass(pieces.add(audio))
    }

    func expect(_ expectation: Expectation, phrases: [String]) {
        var terms = phrases
        switch expectation {
        case .name(let known): terms += known
        case .choice(let choices): terms += choices
        default: break
        }
        perform(dialect.expect(terms))
    }

    func utteranceStarted() {
        pass(pieces.utteranceStarted())
        owesSince = owesSince ?? loop.now
        perform(dialect.utteranceStarted())
    }

    func voiceFaded() { pass(pieces.voiceFaded()) }

    func utteranceEnded() {
        pass(pieces.utteranceEnded())
        perform(dialect.utteranceEnded())
    }

    func close() {
        guard !isOver else { return }
        pass(pieces.take())
        tellUsage()
        isOver = true
        socket?.send(text: #"{"type":"CloseStream"}"#)
        letGo()
    }

    private func letGo() {
        ticking?.cancel()
        waiting?.cancel()
        socket?.close()
        socket = nil
    }

    private func end(_ fault: Fault) {
        guard !isOver else { return }
        tellUsage()
        isOver = true
        letGo()
        events(.failed(fault))
    }

    private func pass(_ piece: ByteBuffer?) {
        guard let piece else { return }
        sent.bytes += piece.readableBytes
        socket?.send(binary: piece)
    }

    private func received(_ text: ByteBuffer) {
        guard !isOver else { return }
        messages += 1
        guard messages <= Self.messagesMax else { return end(VendorFaults(stage: "stt").endless) }
        guard let json = String(validating: text.readableBytesView, as: UTF8.self),
            let message = DeepgramMessage(json)
        else { return end(VendorFaults(stage: "stt").garbled) }
        owesSince = nil
        perform(dialect.received(message))
    }

    private func perform(_ steps: [DeepgramStep]) {
        for step in steps where !isOver {
            switch step {
            case .partial(let text): events(.partial(text))
            case .final(let text, let words):
                events(.final(text, words: words.map(placed)))
                tellUsage()
            case .endOfTurn(let probability): events(.endOfTurn(probability: probability))
            case .send(let text): socket?.send(text: text)
            case .wait(let limit): wait(limit)
            case .failed(let fault): end(fault)
            }
        }
    }

    private func wait(_ limit: Duration?) {
        waiting?.cancel()
        waiting = limit.map { limit in
            loop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [weak self] in
                guard let self, !self.isOver else { return }
                self.perform(self.dialect.waitedInVain())
            }
        }
    }

    /// The vendor bills what it was sent.
    private func tellUsage() {
        guard sent.isReceived, sent.bytes > sent.toldBytes else { return }
        sent.toldBytes = sent.bytes
        let heardMs = Int64(sent.bytes / Self.bytesPerMs)
        events(.usage(Usage(component: .stt, source: source, unit: .milliseconds, quantity: heardMs)))
    }
}

/// Staying alive.
extension DeepgramListening {
    private func tickLater() {
        ticking = loop.assumeIsolated().scheduleTask(in: Self.tickEvery) { [weak self] in self?.tick() }
    }

    private func tick() {
        guard !isOver else { return }
        messages = 0
        if let owesSince, loop.now - owesSince > TimeAmount(silentMax) {
            return end(VendorFaults(stage: "stt").silent)
        }
        if socket?.isOpen == true { keepAlive() }
        tellUsage()
        tickLater()
    }

    private func keepAlive() {
        sent.quietTicks += 1
        switch dialect.keepAlive {
        case .silence: if sent.quietTicks > 1 { insert(milliseconds: 960) }
        // What has no audio yet is not kept by messages.
        case .message where sent.bytes == 0 && sent.quietTicks >= Self.keepAliveAfterTicks:
            insert(milliseconds: 20)
        case .message(let text):
            if sent.quietTicks % Self.keepAliveAfterTicks == 0 { socket?.send(text: text) }
        }
    }

    private func insert(milliseconds: Int) {
        pass(pieces.take())
        let bytes = milliseconds * Self.bytesPerMs
        if sent.insertions.count < Self.insertionsMax {
            sent.insertions.append((sent.bytes / Self.bytesPerMs, milliseconds))
        }
        for _ in stride(from: 0, to: bytes, by: dialect.pieceBytes) {
            pass(ByteBuffer(repeating: Self.silence, count: min(dialect.pieceBytes, bytes)))
        }
    }

    /// On the caller's time, which knows nothing of silence put in.
    private func placed(_ word: Word) -> Word {
        guard !sent.insertions.isEmpty else { return word }
        func caller(_ milliseconds: Int) -> Int {
            sent.insertions.reduce(milliseconds) { $1.atMs < milliseconds ? $0 - $1.lengthMs : $0 }
        }
        return Word(text: word.text, startMs: caller(word.startMs), endMs: caller(word.endMs))
    }
}
