import Base
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Telephony
import Testing

/// What the runner hears of a stream that the network has shaken.
@Suite struct TwilioMediaPeerTests {
    /// Keeps the first byte of each piece of audio and its length.
    private final class Listener: MediaSink {
        var heard: [[UInt8]] = []
        var violations: [String] = []
        var isStopped = false
        func started(_ start: StreamStart, on transport: any CallTransport) {}
        func audio(_ audio: ByteBuffer) { heard.append(Array(audio.readableBytesView)) }
        func digit(_ digit: String) {}
        func mark(_ number: Int) {}
        func stopped() { isStopped = true }
        func protocolViolation(_ violation: MediaViolation) { violations.append(violation.code) }
        func closed() {}
    }

    /// `frames`: numbers from 1; each holds 160 times its own number.
    private func heard(_ frames: [Int], stops: Bool = false) -> Listener {
        let listener = Listener()
        let peer = TwilioMediaPeer(
            loop: EmbeddedEventLoop(), sink: listener,
            logger: Logger(label: "test") { _ in
                SwiftLogNoOpLogHandler()
            })
        peer.received(
            text: ByteBuffer(string: #"{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1"}}"#))
        for number in frames {
            let audio = Data(repeating: UInt8(number), count: 160).base64EncodedString()
            peer.received(
                text: ByteBuffer(
                    string:
                        #"{"event":"media","streamSid":"MZ1","media":{"track":"inbound","chunk":"\#(number)","#
                        + #""timestamp":"\#(number * 20)","payload":"\#(audio)"}}"#))
        }
        if stops { peer.received(text: ByteBuffer(string: #"{"event":"stop","streamSid":"MZ1"}"#)) }
        return listener
    }

    @Test func framesInOrderPassUntouchedAndAtOnce() {
        let heard = heard(Array(1...50)).heard
        #expect(heard.map(\.first) == (1...50).map { UInt8($0) } && heard.allSatisfy { $0.count == 160 })
    }

    @Test func reorderedAndDoubledFramesAreSetRight() {
        let listener = heard([1, 2, 4, 3, 3, 5, 7, 6, 8, 8])
        #expect(listener.heard.map(\.first) == (1...8).map { UInt8($0) })
        #expect(listener.violations.isEmpty)
    }

    @Test(arguments: [0.01, 0.05, 0.1, 0.3])
    func lossNeitherShortensNorDelays(loss: Double) {
        var random = SeededGenerator(seed: 5)
        let frames = (1...200).filter {
            $0 == 1 || $0 == 200 || Double.random(in: 0..<1, using: &random) >= loss
        }
        let bytes = heard(frames, stops: true).heard.reduce(0) { $0 + $1.count }
        #expect(bytes == 200 * 160)
    }

    @Test func aStopBringsWhatWasHeldBack() {
        let listener = heard([1, 2, 4], stops: true)
        #expect(listener.isStopped && listener.heard.last?.last == 4)
    }
}
