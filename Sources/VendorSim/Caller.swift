import Base
import NIOCore
import OfflineVoices

/// A living persona in one call. Everything here is called on the call's event loop.
protocol Caller: AnyObject {
    /// Every 20 ms of call time. `heard`: 160 µ-law bytes, nil is silence. Returns what the caller's mouth
    /// gives: the same.
    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]?
    /// The call is over; nothing more comes.
    func over(at ms: Int)
    var lines: CallerLines { get }
}

/// What a caller can do to its call besides speaking.
protocol CallerLine: AnyObject {
    func press(_ digit: Character)
    func hangUpByCaller()
    func note(_ moment: CallMoment)
}

/// What was heard and said so far.
struct CallerLines {
    var heard: [CallObservation.Line] = []
    var said: [CallObservation.Line] = []
}

/// Tells speech from quiet in what the caller hears.
struct SoundEdges {
    enum Edge: Hashable, Sendable { case started, stopped }

    /// Mean magnitude above which a frame has sound: about -50 dBFS.
    static let soundLoudness = 100
    /// Quiet that ends a line: 400 ms.
    static let quietTicks = 20
    /// Sound that begins one: 40 ms.
    static let soundTicks = 2

    private(set) var isSounding = false
    private var loud = 0
    /// Ticks of quiet up to now, 0 while there is sound.
    private(set) var quiet = 0

    mutating func tick(_ frame: [UInt8]?) -> Edge? {
        if let frame, MuLaw.loudness(frame[...]) > Self.soundLoudness {
            loud += 1
            quiet = 0
            if !isSounding, loud >= Self.soundTicks {
                isSounding = true
                return .started
            }
        } else {
            loud = 0
            quiet += 1
            if isSounding, quiet >= Self.quietTicks {
                isSounding = false
                return .stopped
            }
        }
        return nil
    }
}

/// Listens, or not, but never speaks.
final class SilentCaller: Caller {
    private(set) var lines = CallerLines()
    private var edges = SoundEdges()

    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]? {
        lines.note(edges.tick(heard), at: ms)
        return nil
    }
    func over(at ms: Int) { lines.close(at: ms) }
}

/// Presses the next keys each time the agent falls silent.
final class KeypadCaller: Caller {
    /// Ticks between two keys of one entry: 100 ms.
    private static let ticksBetweenKeys = 5

    private(set) var lines = CallerLines()
    private var edges = SoundEdges()
    private var entries: ArraySlice<String>
    private let pauseMs: Int
    private let hangsUpAfterLast: Bool
    private var dueMs: Int?
    private var keys: [Character] = []
    private var wait = 0

    init(_ keys: Persona.Keys) {
        entries = keys.entries[...]
        // The edge itself comes after its own stretch of quiet.
        pauseMs = max(0, Int(keys.pause.milliseconds) - SoundEdges.quietTicks * 20)
        hangsUpAfterLast = keys.hangsUpAfterLast
    }

    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]? {
        let edge = edges.tick(heard)
        lines.note(edge, at: ms)
        switch edge {
        case .started: dueMs = nil
        case .stopped: dueMs = ms + pauseMs
        case nil: break
        }
        if let due = dueMs, ms >= due, keys.isEmpty {
            dueMs = nil
            if let entry = entries.popFirst() {
                keys = Array(entry)
                line.note(.callerPresses(entry))
            } else if hangsUpAfterLast {
                line.hangUpByCaller()
            }
        }
        press(on: line)
        return nil
    }

    private func press(on line: any CallerLine) {
        guard !keys.isEmpty else { return }
        wait -= 1
        guard wait <= 0 else { return }
        wait = Self.ticksBetweenKeys
        line.press(keys.removeFirst())
    }

    func over(at ms: Int) { lines.close(at: ms) }
}

extension CallerLines {
    mutating func note(_ edge: SoundEdges.Edge?, at ms: Int) {
        switch edge {
        case .started: heard.append(.init(startMs: ms - SoundEdges.soundTicks * 20 + 20, endMs: ms, text: ""))
        case .stopped: close(at: ms - SoundEdges.quietTicks * 20 + 20)
        case nil: break
        }
    }

    /// Ends an open line; harmless when none is open, because a closed line ends later than it starts.
    mutating func close(at ms: Int) {
        guard let last = heard.indices.last, heard[last].endMs <= heard[last].startMs + 20 else { return }
        heard[last].endMs = max(ms, heard[last].startMs + 40)
    }
}
