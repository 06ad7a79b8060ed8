import Audio
import Base
import Logging
import NIOCore
import NIOPosix

/// Writes what was said and heard: stereo PCM16 at 8 kHz, left the caller, right the agent as the caller heard it.
///
/// Times are the call's. A pause is silence on both sides, so the file keeps the call's timing. On its loop only.
final class Recorder {
    private enum State { case idle, running(from: CallTime), paused(from: CallTime), finished }

    /// Settled audio is taken out when so much is due: one second.
    private static let settleEvery = 8000

    private let file: DiskFile
    private var state = State.idle
    private var timeline = StereoTimeline()
    private var pcm = ByteBuffer()
    private var written = 0
    private var linear: [Int16] = []

    init(path: String, on loop: any EventLoop, pool: NIOThreadPool, logger: Logger) {
        file = DiskFile(path: path, on: loop, pool: pool, logger: logger)
    }

    var path: String { file.path }
    var hasStarted: Bool { if case .idle = state { false } else { true } }

    func start(at now: CallTime) {
        guard case .idle = state else { return resume() }
        state = .running(from: now)
        // Players take an unknown length as "to the end" should the process die before `finish`.
        file.write(WAV.header(dataBytes: WAV.unknownLength))
    }

    func pause() { if case .running(let from) = state { state = .paused(from: from) } }

    func resume() { if case .paused(let from) = state { state = .running(from: from) } }

    /// µ-law of the caller that ended at `now`.
    func caller(_ audio: ByteBuffer, at now: CallTime) {
        guard case .running(let from) = state else { return }
        decode(audio)
        timeline.placeLeft(linear, endingAt: Self.samples(now - from))
    }

    /// µ-law of the agent, heard up to `now`.
    func agent(_ audio: ByteBuffer, at now: CallTime) {
        guard case .running(let from) = state else { return }
        decode(audio)
        timeline.placeRight(linear, endingAt: Self.samples(now - from))
    }

    /// Called every tick; writes now and then.
    func settle(at now: CallTime) {
        guard let from else { return }
        let at = Self.samples(now - from)
        guard at - written >= StereoTimeline.settleSamples + Self.settleEvery else { return }
        timeline.settle(at: at, into: &pcm)
        writeOut()
    }

    /// `done` gets size and length in milliseconds; nil when nothing was recorded or the file is damaged.
    func finish(at now: CallTime, done: @escaping @Sendable ((bytes: Int, milliseconds: Int)?) -> Void) {
        guard let from else { return done(nil) }
        timeline.finish(at: Self.samples(now - from), into: &pcm)
        writeOut()
        state = .finished
        let milliseconds = written / 8
        file.finish(header: WAV.header(dataBytes: written * 4)) { bytes in
            done(bytes.map { ($0, milliseconds) })
        }
    }

    private var from: CallTime? {
        switch state {
        case .running(let from), .paused(let from): from
        case .idle, .finished: nil
        }
    }

    private func writeOut() {
        written += pcm.readableBytes / 4
        file.write(pcm.readableBytesView)
        pcm.clear()
    }

    private func decode(_ audio: ByteBuffer) {
        linear.removeAll(keepingCapacity: true)
        audio.withUnsafeReadableBytes { raw in
            for byte in raw { linear.append(MuLaw.decode(byte)) }
        }
    }

    private static func samples(_ duration: Duration) -> Int { Int(duration.nanoseconds / 125_000) }
}
