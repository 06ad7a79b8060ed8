import Base
import Conversation
import NIOCore
import NIOPosix
import Speech
import TestKit
import Testing

@testable import MediaWorker

struct EarTests {
    private static let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// A spoken line, µ-law.
    private static func spoken(_ line: String) async throws -> [UInt8] {
        let made = Watched((audio: [UInt8](), isOver: false))
        try await loop.submit {
            _ = OfflineTextToSpeech().speak(line, voice: "rms", on: loop) { event in
                made.change { made in
                    switch event {
                    case .audio(let audio): made.audio += Array(audio.readableBytesView)
                    case .finished, .failed: made.isOver = true
                    case .words, .spent, .fellBack: break
                    }
                }
            }
        }.get()
        return try await made.first { $0.isOver ? $0.audio : nil }
    }

    /// At both the agent is about to answer: its voice is warmed.
    @Test func whereTheCallerBeginsAndEndsToSpeakIsTold() async throws {
        let speech = try await Self.spoken("My name is Peter and I would like a table.")
        let silence = [UInt8](repeating: 0xFF, count: 160 * 50)
        let loop = Self.loop
        let edges = try await loop.submit { () -> [Int] in
            var count = 0
            let ear = Ear(
                ScriptedRecogniser(), settings: RecognitionSettings(language: "en-US"), weights: nil,
                on: loop, tell: { _ in }, report: { if case .utteranceEdge = $0 { count += 1 } })
            return [silence, speech, silence + silence].map { part in
                for start in stride(from: 0, to: part.count - 159, by: 160) {
                    ear.hear(ByteBuffer(bytes: part[start..<start + 160]))
                }
                return count
            }
        }.get()
        #expect(edges == [0, 1, 2], "nothing in silence, then a beginning, then an end")
    }
}
