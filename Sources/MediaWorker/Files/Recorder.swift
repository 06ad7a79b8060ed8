import Audio
import Base
import Logging
import NIOCore
import NIOPosix

/// Writes what was said and heard: stereo PCM16 at 8 kHz, left the caller, right the agent as the caller heard it.
///
/// Times are the call's. A pause is silence on both sides, so the file keeps the call's timing. The file on disk is a
/// whole WAV at any time: its header grows with each piece written. On its loop only.
final class Recorder {
    private enum State { case idle, running(from: CallTime), paused(from: CallTime), finished }

    /// Settled audio is taken out when so much is due: half a second.
    static let settleEvery = 4000

    private let file: DiskFile
    private var state = State.idle
    private var timeline = StereoTimeline()
    /// Samples a side.
    private var written = 0

    init(path: String, on loop: any EventLoop, pool: NIOThreadPool, logger: Logger) {
        file = DiskFile(path: path, on: loop, pool: pool, logger: logger)
    }

    var path: String { file.path }
    var hasStarted: Bool { if case .idle = state { false } else { true } }

    func start(at now: CallTime) {
        guard case .idle = state else { return resume() }
        state = .running(from: now)
        file.write(WAV.header(dataBytes: 0))
        file.flush()
    }

    func pause() { if case .running(let from) = state { state = .paused(from: from) } }

    func resume() { if case .paused(let from) = state { state = .running(from: from) } }

    /// µ-law of the caller that ended at `now`.
    func caller(_ audio: ByteBuffer, at now: CallTime) {
        guard case .running(let from) = state else { return }
        timeline.placeLeft(audio.readableBytesView, endingAt: Self.samples(now - from))
    }

    /// µ-law of the agent, heard up to `now`.
    func agent(_ audio: ByteBuffer, at now: CallTime) {
        guard case .running(let from) = state else { return }
        timeline.placeRight(audio.readableBytesView, endingAt: Self.samples(now - from))
    }

    /// Called every tick; writes now and then.
    func settle(at now: CallTime) {
        guard let from else { return }
        let at = Self.samples(now - from)
        guard at - written >= StereoTimeline.settleSamples + Self.settleEvery else { return }
        write(timeline.settle(at: at))
    }

    /// `done` gets size and length in milliseconds; nil when nothing was recorded or the file is damaged.
    func finish(at now: CallTime, done: @escaping @Sendable ((bytes: Int, milliseconds: Int)?) -> Void) {
        guard let from else { return done(nil) }
        write(timeline.finish(at: Self.samples(now - from)))
        state = .finished
        let milliseconds = written / 8
        file.finish { bytes in
            done(bytes.map { ($0, milliseconds) })
        }
    }

    private var from: CallTime? {
        switch state {
        case .running(let from), .paused(let from): from
        case .idle, .finished: nil
        }
    }

    /// The disk's thread makes PCM of it.
    private func write(_ piece: StereoTimeline.Piece?) {
        guard let piece else { return }
        written += piece.left.count
        file.write(bytes: piece.left.count * 4, header: WAV.header(dataBytes: written * 4)) {
            Self.pcm(piece)
        }
    }

    /// Interleaved little-endian PCM16.
    private static func pcm(_ piece: StereoTimeline.Piece) -> [UInt8] {
        let count = piece.left.count
        return [UInt8](unsafeUninitializedCapacity: count * 4) { room, size in
            MuLaw.decoded.withUnsafeBufferPointer { table in
                for at in 0..<count {
                    let left = UInt16(bitPattern: table[Int(piece.left[at])])
                    let right = UInt16(bitPattern: table[Int(piece.right[at])])
                    room[at * 4] = UInt8(truncatingIfNeeded: left)
                    room[at * 4 + 1] = UInt8(truncatingIfNeeded: left >> 8)
                    room[at * 4 + 2] = UInt8(truncatingIfNeeded: right)
                    room[at * 4 + 3] = UInt8(truncatingIfNeeded: right >> 8)
                }
            }
            size = count * 4
        }
    }

    private static func samples(_ duration: Duration) -> Int { Int(duration.nanoseconds / 125_000) }
}
