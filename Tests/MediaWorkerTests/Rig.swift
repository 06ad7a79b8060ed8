import Agents
import Base
import Billing
import CallDispatch
import Crypto
import Foundation
import HTTPClient
import Logging
import MediaWorker
import NIOCore
import NIOPosix
import Speech
import Synchronization
import Telephony
import TestKit
import WebSockets

/// A worker on a free port with a control plane in memory, instant voices and real sockets.
final class Rig: Sendable {
    static let key = SymmetricKey(data: Data(repeating: 9, count: 32))
    static let worker = ID<Worker>(high: 5, low: 5)

    let link = FakeLink()
    let board = FakeBoard()
    let directory = ScratchDirectory()
    let worker: MediaWorker
    let mediaURL: String
    private let running: Task<Void, any Error>
    let http: HTTPClient

    init(capacity: Int = 10, drain: Duration = .seconds(1)) async throws {
        let configuration = WorkerConfiguration(
            worker: Self.worker, region: "test", mediaURL: nil, media: ("127.0.0.1", 0), capacity: capacity,
            directories: (directory.path + "/recordings", directory.path + "/spool"), workerKey: Self.key,
            publicURL: "http://127.0.0.1", drain: drain)
        http = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let station = Station(
            configuration, link: link, board: board, http: http,
            voices: { _, _ in
                CallVoices(recogniser: ScriptedRecogniser(), synthesiser: ToneSynthesiser(), model: nil)
            },
            logger: .quiet)
        let worker = MediaWorker(station: station)
        self.worker = worker
        running = Task { try await worker.run() }
        // The first lease says where the media port was bound.
        mediaURL = try await link.state.first { $0.renewals.first?.mediaURL } + "/media"
    }

    func stop() async throws {
        running.cancel()
        try await running.value
        await http.close()
    }

    /// A call the control plane knows, and a token for its stream.
    func plan(
        _ number: UInt64, _ definition: AgentDefinition, epoch: Int = 1,
        change: (inout Plan) -> Void = { _ in }
    ) -> (plan: Plan, token: String) {
        let key = CallKey.sample(number, epoch: epoch)
        let phone = E164("+14155550100").map { Redacted($0) }
        var plan = Plan(
            call: key.call, tenant: key.tenant, epoch: epoch, direction: .inbound, region: "test",
            from: phone!,
            to: phone!, agent: ID(high: 3, low: 3), agentVersion: 1, definition: definition, variables: [:],
            carrier: CarrierAccount(
                vendor: "twilio", accountSID: "AC1", authToken: Redacted("t"), baseURL: "http://127.0.0.1:9",
                voiceURL: "",
                statusURL: ""),
            carrierCallID: nil, vendors: [], prices: PriceBook(id: ID(high: 4, low: 4), rates: []),
            fundedMs: 600_000,
            holdNumber: 0, isResumed: false, elapsedMs: 0,
            checkpointKey: Redacted(Data(repeating: 3, count: 32).base64EncodedString()))
        change(&plan)
        let made = plan
        link.state.change { $0.plans[key.call] = made }
        return (plan, token(key))
    }

    func token(_ key: CallKey, worker: ID<Worker> = Rig.worker, lifetime: Duration = .seconds(60)) -> String {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return MediaToken(
            tenant: key.tenant, call: key.call, worker: worker, epoch: key.epoch, expires: now + lifetime
        ).sealed(with: Self.key)
    }

    func carrier() async throws -> FakeCarrier {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let carrier = FakeCarrier(loop)
        _ = try await WebSocketClient.connect(
            url: mediaURL, headers: [], limits: WebSocketLimits(), on: loop, peer: carrier
        ).get()
        return carrier
    }

    /// What `find` first sees in the call's reports.
    func fact<Found: Sendable>(
        _ number: UInt64, _ find: @escaping @Sendable (CallFact) -> Found?
    ) async throws -> Found {
        let call = CallKey.sample(number).call
        return try await link.state.first { state in
            state.reports.lazy.filter { $0.call == call }.compactMap { find($0.fact) }.first
        }
    }
}

/// The carrier's end of a media socket: plays in real time, echoes marks, remembers everything.
final class FakeCarrier: WebSocketPeer, @unchecked Sendable {
    struct Seen: Sendable {
        var audioBytes = 0
        var firstAudio: NIODeadline?
        var marks: [String] = []
        var clears = 0
        var closeCode: Int?
        var isClosed = false
    }

    private let loop: any EventLoop
    let seen = Watched(Seen())
    private var socket: WebSocket?
    private var playEnd = NIODeadline.now()
    private var waiting: [(name: String, alarm: Scheduled<Void>)] = []
    var stream = "MZ1"

    init(_ loop: any EventLoop) { self.loop = loop }

    var now: Seen { seen.value }

    /// Waits for the end of the socket.
    func closeCode() async throws -> Int? { try await seen.first { $0.isClosed ? .some($0.closeCode) : nil } }

    func opened(_ socket: WebSocket) { self.socket = socket }

    /// Our own messages have one spelling, so the carrier need not be slow about reading them.
    func received(text: ByteBuffer) {
        let head = "{\"event\":\""
        switch text.getString(at: text.readerIndex + head.utf8.count, length: 4) {
        case "medi": played(text)
        case "mark": marked(String(buffer: text))
        case "clea": cleared()
        default: break
        }
    }

    private func played(_ text: ByteBuffer) {
        let envelope =
            "{'event':'media','streamSid':'','media':{'payload':''}}".utf8.count + stream.utf8.count
        let tail = text.readableBytesView.suffix(5).prefix(2).count { $0 == 0x3D }
        let count = (text.readableBytes - envelope) / 4 * 3 - tail
        playEnd = max(playEnd, .now()) + .microseconds(Int64(count) * 125)
        seen.change {
            $0.audioBytes += count
            $0.firstAudio = $0.firstAudio ?? .now()
        }
    }

    private func marked(_ text: String) {
        let name = String(text.split(separator: "\"").dropLast().last ?? "")
        waiting.append((name, loop.scheduleTask(deadline: playEnd) { self.echo(name) }))
    }

    private func cleared() {
        playEnd = .now()
        seen.change { $0.clears += 1 }
        for mark in waiting {
            mark.alarm.cancel()
            echo(mark.name)
        }
    }

    private func echo(_ name: String) {
        waiting.removeAll { $0.name == name }
        seen.change { $0.marks.append(name) }
        socket?.send(
            text: ByteBuffer(string: #"{"event":"mark","streamSid":"\#(stream)","mark":{"name":"\#(name)"}}"#)
        )
    }

    func closed(code: Int?, error: (any Error)?) {
        seen.change {
            $0.closeCode = code
            $0.isClosed = true
        }
    }

    func send(_ text: String) { loop.execute { self.socket?.send(text: ByteBuffer(string: text)) } }
    func send(binary: [UInt8]) { loop.execute { self.socket?.send(binary: ByteBuffer(bytes: binary)) } }
    func cut() { loop.execute { self.socket?.close(code: 1001, reason: "") } }

    func start(token: String?) {
        let parameters = token.map { #""token":"\#($0)""# } ?? ""
        send(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
        send(
            #"{"event":"start","sequenceNumber":"1","streamSid":"\#(stream)","start":{"streamSid":"\#(stream)","#
                + #""accountSid":"AC1","callSid":"CA1","customParameters":{\#(parameters)}}}"#)
    }

    func digit(_ digit: String) {
        send(#"{"event":"dtmf","streamSid":"\#(stream)","dtmf":{"digit":"\#(digit)"}}"#)
    }
    func stop() { send(#"{"event":"stop","streamSid":"\#(stream)","stop":{}}"#) }

    /// Speaks for so long: a frame of `byte` every 20 ms, without waiting.
    func media(_ frames: Int, byte: UInt8 = 0xFF, from timestamp: Int = 0) {
        let payload = Data(repeating: byte, count: 160).base64EncodedString()
        media(frames, payload: payload, from: timestamp)
    }

    /// Sends as many frames of `byte` at the line's pace, and waits for the last.
    func line(_ frames: Int, byte: UInt8, from timestamp: Int = 0) async throws {
        let sent = loop.makePromise(of: Void.self)
        loop.execute { self.line(0..<frames, byte: byte, from: timestamp, at: .now(), sent) }
        try await sent.futureResult.get()
    }

    private func line(
        _ frames: Range<Int>, byte: UInt8, from timestamp: Int, at now: NIODeadline,
        _ sent: EventLoopPromise<Void>
    ) {
        guard !frames.isEmpty else { return sent.succeed() }
        media(1, byte: byte, from: timestamp)
        let next = now + .milliseconds(20)
        loop.scheduleTask(deadline: next) {
            self.line(frames.dropFirst(), byte: byte, from: timestamp + 20, at: next, sent)
        }
    }

    func media(_ frames: Int, payload: String, from timestamp: Int) {
        for frame in 0..<frames {
            send(
                #"{"event":"media","streamSid":"\#(stream)","media":{"track":"inbound","chunk":"\#(frame + 1)","#
                    + #""timestamp":"\#(timestamp + frame * 20)","payload":"\#(payload)"}}"#)
        }
    }
}

/// Understands nothing, and tells what it was sent.
struct ScriptedRecogniser: SpeechToText {
    final class Stream: RecognitionStream {
        private let events: @Sendable (RecognitionEvent) -> Void
        private var heardMs: Int64 = 0
        init(_ events: @escaping @Sendable (RecognitionEvent) -> Void) { self.events = events }
        func send(_ audio: ByteBuffer) {
            heardMs += Int64(audio.readableBytes / 8)
            events(
                .usage(
                    Usage(component: .stt, source: "offline", unit: .milliseconds, quantity: heardMs)))
        }
        func expect(_ expectation: Expectation, phrases: [String]) {}
        func utteranceStarted() {}
        func voiceFaded() {}
        func utteranceEnded() {}
        func close() {}
    }
    func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream { Stream(events) }
}

/// 20 ms of tone a character, at once.
struct ToneSynthesiser: TextToSpeech {
    final class Stream: SynthesisStream { func cancel() {} }
    func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        loop.execute {
            events(.audio(ByteBuffer(repeating: 0x20, count: text.utf8.count * 160)))
            events(
                .finished(
                    Usage(component: .tts, source: "offline", unit: .characters, quantity: Int64(text.count)))
            )
        }
        return Stream()
    }
}

/// Checkpoints in memory.
final class FakeBoard: CallBoard, Sendable {
    let kept = Mutex<[ID<Call>: [UInt8]]>([:])
    let saved = Mutex(0)
    func saveCheckpoint(_ call: ID<Call>, sealed: [UInt8]) async throws {
        kept.withLock { $0[call] = sealed }
        saved.withLock { $0 += 1 }
    }
    func loadCheckpoint(_ call: ID<Call>) async throws -> [UInt8]? { kept.withLock { $0[call] } }
    func dropCheckpoint(_ call: ID<Call>) async throws { kept.withLock { _ = $0.removeValue(forKey: call) } }
    func publish(event: [UInt8], call: ID<Call>) async throws {}
}
