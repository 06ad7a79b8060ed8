import Audio
import Base
package import Logging
package import NIOCore
package import WebSockets

/// One Media Streams socket: reads the carrier's messages under the order rules and writes ours.
///
/// Lives on its socket's event loop. The first broken rule closes the socket with a code and one log line.
package final class TwilioMediaPeer: WebSocketPeer, CallTransport {
    /// A socket that has not sent `start` by then is closed.
    package static let startLimit: TimeAmount = .seconds(5)

    package let loop: any EventLoop
    private let sink: any MediaSink
    private let logger: Logger
    private let opened = NIODeadline.now()
    private var rules: StreamRules
    private var order = FrameOrder<ByteBuffer>()
    private var concealment = MuLawConcealment()
    private var socket: WebSocket?
    private var stream: [UInt8] = []
    private var audio = ByteBuffer()
    private var writer = CarrierWriter(streamSid: "")
    private var isClosing = false
    private var startAlarm: Scheduled<Void>?

    package init(
        loop: any EventLoop, sink: any MediaSink, logger: Logger, policy: StreamRules.Policy = .init()
    ) {
        self.loop = loop
        self.sink = sink
        self.logger = logger
        rules = StreamRules(policy)
    }

    package func opened(_ socket: WebSocket) {
        self.socket = socket
        startAlarm = loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.startLimit) { [weak self] in
            guard let self, self.rules.state == .waiting else { return }
            self.violate(MediaViolation(.policy, "no_start"))
        }
    }

    package func received(text: ByteBuffer) {
        guard !isClosing else { return }
        do {
            try rules.count(at: CallTime(nanoseconds: (NIODeadline.now() - opened).nanoseconds))
            try accept(try CarrierFrame.read(text, stream: stream, audio: &audio))
        } catch {
            violate(error)
        }
    }

    package func received(binary: ByteBuffer) { violate(MediaViolation(.binaryRefused, "binary_message")) }

    private func accept(_ frame: CarrierFrame) throws(MediaViolation) {
        switch frame {
        case .media(let media):
            try rules.check("media", isOurStream: media.isOurStream)
            guard rules.state == .streaming, media.isInbound, audio.readableBytes > 0 else { return }
            deliver(media)
        case .start(let start):
            try rules.start()
            startAlarm?.cancel()
            stream = Array(start.streamSid.utf8)
            writer = CarrierWriter(streamSid: start.streamSid)
            sink.started(start, on: self)
        case .digit(let digit, let sid):
            try rules.check("dtmf", isOurStream: Array(sid.utf8) == stream)
            if rules.state == .streaming { sink.digit(digit) }
        case .mark(let name, let sid):
            try rules.check("mark", isOurStream: Array(sid.utf8) == stream)
            if rules.state == .streaming, let number = Int(name) { sink.mark(number) }
        case .stop(let sid):
            try rules.check("stop", isOurStream: Array(sid.utf8) == stream)
            guard rules.state == .streaming else { return }
            for piece in order.finish() { hand(piece) }
            rules.stop()
            sink.stopped()
        case .connected, .unknown: break
        }
    }

    private func deliver(_ media: CarrierFrame.Media) {
        let place = FrameOrder<ByteBuffer>.Place(
            number: media.chunk, timestampMs: media.timestamp, milliseconds: audio.readableBytes / 8)
        for piece in order.take(place, audio) { hand(piece) }
    }

    private func hand(_ piece: FrameOrder<ByteBuffer>.Piece) {
        switch piece {
        case .frame(let audio):
            let mended = audio.withUnsafeReadableBytes {
                concealment.received($0.bindMemory(to: UInt8.self))
            }
            sink.audio(mended.map { ByteBuffer(bytes: $0) } ?? audio)
        case .lost(let milliseconds): sink.audio(ByteBuffer(bytes: concealment.lost(milliseconds * 8)))
        }
    }

    private func violate(_ violation: MediaViolation) {
        guard !isClosing else { return }
        logger.warning(
            "media socket refused",
            metadata: [
                "reason": .string(violation.code), "code": .stringConvertible(violation.close.rawValue),
            ])
        sink.protocolViolation(violation)
        close(violation.close, reason: violation.code)
    }

    package func closed(code: Int?, error: (any Error)?) {
        let counts = order.counts
        if !counts.areWhole {
            logger.info(
                "media stream was not whole",
                metadata: [
                    "lost_ms": .stringConvertible(counts.lostMs), "late": .stringConvertible(counts.late),
                    "reordered": .stringConvertible(counts.reordered),
                    "duplicated": .stringConvertible(counts.duplicated),
                ])
        }
        isClosing = true
        startAlarm?.cancel()
        socket = nil
        sink.closed()
    }

    package func writabilityChanged(_ isWritable: Bool) {}

    /// The server stops: a live call goes on until the drain limit, so only idle sockets are let go.
    package func goingAway() {
        if rules.state == .waiting { close(.goingAway, reason: "shutting down") }
    }
}

extension TwilioMediaPeer {
    package var isWritable: Bool { socket?.isWritable ?? true }

    package func play(_ audio: ByteBufferView) {
        guard !isClosing, let socket else { return }
        socket.write(text: writer.media(audio))
    }

    package func mark(_ number: Int) {
        guard !isClosing, let socket else { return }
        socket.write(text: writer.mark(number))
    }

    package func clear() {
        guard !isClosing, let socket else { return }
        socket.write(text: writer.clear())
    }

    package func flush() {
        guard !isClosing, let socket else { return }
        socket.flush()
    }

    package func close(_ code: MediaClose, reason: String) {
        guard !isClosing else { return }
        isClosing = true
        startAlarm?.cancel()
        socket?.close(code: code.rawValue, reason: reason)
    }
}
