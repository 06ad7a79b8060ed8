import Agents
import Base
import CallDispatch
import Foundation
import HTTPClient
import MediaWorker
import NIOCore
import NIOEmbedded
import Synchronization
import Telephony
import Testing

/// Sockets that break, fall silent or are not read, in controlled time: seconds pass when the test says so.
@Suite(.serialized) struct StallTests {
    /// A carrier's socket in memory. On its loop only, but for `closed`.
    final class Line: CallTransport, @unchecked Sendable {
        let loop: any EventLoop
        let closed = Mutex<MediaClose?>(nil)
        private(set) var marks: [Int] = []
        private(set) var playedBytes = 0
        var isWritable = true
        init(_ loop: any EventLoop) { self.loop = loop }
        func play(_ audio: ByteBufferView) { playedBytes += audio.count }
        func mark(_ number: Int) { marks.append(number) }
        func takeMarks() -> [Int] {
            defer { marks = [] }
            return marks
        }
        func clear() {}
        func flush() {}
        func close(_ code: MediaClose, reason: String) { closed.withLock { $0 = $0 ?? code } }
    }

    /// One call on a loop whose time stands still until it is moved.
    struct Stage {
        let rig: Rig
        let loop: NIOAsyncTestingEventLoop
        let line: Line
        let runner: CallRunner

        init(_ definition: AgentDefinition) async throws {
            rig = try await Rig()
            let loop = NIOAsyncTestingEventLoop()
            let line = Line(loop)
            self.loop = loop
            self.line = line
            let (plan, _) = rig.plan(1, definition)
            let station = rig.worker.station
            runner = try await loop.executeInContext {
                let runner = CallRunner(plan: plan, on: line, station: station, checkpoint: nil)
                try runner.begin()
                return runner
            }
        }

        /// `seconds` in steps of 20 ms; `frames`: the carrier sends sound; `echoes`: and echoes marks.
        func pass(_ seconds: Double, frames: Bool = true, echoes: Bool = true) async throws {
            let (runner, line) = (runner, line)
            for _ in 0..<Int(seconds * 50) {
                await loop.advanceTime(by: .milliseconds(20))
                try await loop.executeInContext {
                    if frames { runner.audio(ByteBuffer(repeating: 0xFF, count: 160)) }
                    if echoes { for mark in line.takeMarks() { runner.mark(mark) } }
                }
            }
        }

        var facts: [CallFact] { rig.link.facts(CallKey.sample(1).call) }

        func codes() -> [String] {
            facts.compactMap {
                if case .event(let code, let detail) = $0 { code + " " + detail } else { nil }
            }
        }

        /// Waits for the report that the stream has stalled.
        func stalled(_ how: String) async throws {
            _ = try await rig.fact(1) { if case .event("media_stalled", how) = $0 { true } else { nil } }
        }

        func ending() async throws -> (EndReason, Int) {
            try await rig.fact(1) { if case .ended(let reason, let ms, _) = $0 { (reason, ms) } else { nil } }
        }

        func stop() async throws {
            try await rig.stop()
            await loop.shutdownGracefully()
        }
    }

    private var isEnded: (CallFact) -> Bool { { if case .ended = $0 { true } else { false } } }

    @Test func aLostCallIsEndedWhenItsGraceIsOverAndNotBefore() async throws {
        let stage = try await Stage(CallTests.keys)
        try await stage.pass(2)
        try await stage.loop.executeInContext { stage.runner.closed() }
        #expect(
            try await stage.rig.fact(1) { if case .event("media_lost", _) = $0 { true } else { nil } } == true
        )
        let grace = Double(CallRunner.lostStreamGrace.milliseconds) / 1000
        try await stage.pass(grace - 0.1, frames: false)
        #expect(!stage.facts.contains(where: isEnded))
        #expect(stage.line.closed.withLock { $0 } == nil)
        try await stage.pass(0.2, frames: false)
        let (reason, ms) = try await stage.ending()
        #expect(reason == .carrierFailed)
        // The grace is not the caller's to pay.
        #expect((1980...2040).contains(ms), "\(ms)")
        try await stage.stop()
    }

    @Test func aSilentCarrierIsGivenUpThoughItOwesNothing() async throws {
        var listener = BadStreamTests.talk
        listener.speaksFirst = .caller
        listener.turns.silenceMs = 60_000
        let stage = try await Stage(listener)
        let limit = Double(CallRunner.silentMax.milliseconds) / 1000
        try await stage.pass(1)
        try await stage.pass(limit - 0.1, frames: false)
        #expect(stage.line.closed.withLock { $0 } == nil)
        try await stage.pass(0.2, frames: false)
        #expect(stage.line.closed.withLock { $0 } == .policy)
        try await stage.stalled("nothing_sent")
        try await stage.pass(Double(CallRunner.lostStreamGrace.milliseconds) / 1000 + 0.1, frames: false)
        #expect(try await stage.ending().0 == .carrierFailed)
        try await stage.stop()
    }

    @Test func aCarrierThatReadsNothingIsGivenUpThoughItSends() async throws {
        let stage = try await Stage(BadStreamTests.talk)
        // The greeting lasts 1.4 s and has marks every half second.
        try await stage.pass(Double(CallRunner.stallMax.milliseconds) / 1000, echoes: false)
        #expect(stage.line.closed.withLock { $0 } == nil)
        try await stage.pass(1, echoes: false)
        #expect(stage.line.closed.withLock { $0 } == .policy)
        try await stage.stalled("nothing_played")
        try await stage.stop()
    }

    @Test func aSocketThatIsFullIsGivenUp() async throws {
        let stage = try await Stage(BadStreamTests.talk)
        try await stage.loop.executeInContext { stage.line.isWritable = false }
        try await stage.pass(Double(CallRunner.stallMax.milliseconds) / 1000 + 0.1, echoes: false)
        #expect(stage.line.closed.withLock { $0 } == .policy)
        try await stage.stalled("nothing_read")
        try await stage.stop()
    }

    @Test func aGoodCallIsLeftAlone() async throws {
        let stage = try await Stage(BadStreamTests.talk)
        try await stage.pass(4)
        #expect(
            stage.line.closed.withLock { $0 } == nil && stage.codes().allSatisfy { !$0.hasPrefix("media") })
        try await stage.stop()
    }
}
