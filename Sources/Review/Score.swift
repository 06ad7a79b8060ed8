import Conversation

/// The call on a time line, in rows like a score: both voices, whose turn it was, and what was decided. Pure.
struct Score {
    /// Time a row shows.
    static let rowMs = 20_000
    /// Rows drawn: two hours. What comes later is in the tables only.
    static let rowsMax = 360
    private static let width = 1200
    private static let callerMid = 44
    private static let agentMid = 100
    private static let laneHeight = 48
    private static let marksTop = 128
    private static let markLanes = 4
    private static let markHeight = 14
    /// Of the small print of the drawing.
    private static let characterWidth = 5.6
    private static var height: Int { marksTop + markLanes * markHeight + 6 }

    let story: CallStory
    let waveform: Waveform?

    var lengthMs: Int { max(story.lengthMs, (story.recordingMs ?? 0) + (waveform?.lengthMs ?? 0)) }

    func draw(_ page: inout Markup) {
        let rows = min((lengthMs + Self.rowMs - 1) / Self.rowMs, Self.rowsMax)
        for row in 0..<rows { draw(row: row * Self.rowMs, &page) }
    }

    private func draw(row from: Int, _ page: inout Markup) {
        let range = from..<(from + Self.rowMs)
        page.element(
            "svg",
            [
                ("class", "score"), ("viewBox", "0 0 \(Self.width) \(Self.height)"), ("role", "img"),
                ("data-from", "\(from)"), ("data-to", "\(range.upperBound)"),
                (
                    "aria-label",
                    "\(Clock.text(from, showsMs: false)) to \(Clock.text(range.upperBound, showsMs: false))"
                ),
            ]
        ) { svg in
            ticks(range, &svg)
            for turn in story.turns where turn.startMs < range.upperBound && turn.endMs > from {
                span(turn, range, &svg)
            }
            if let waveform {
                wave(waveform.caller, "caller", Self.callerMid, range, &svg)
                wave(waveform.agent, "agent", Self.agentMid, range, &svg)
            }
            marks(range, &svg)
            svg.empty(
                "line", [("class", "head"), ("y1", "14"), ("y2", "\(Self.height)"), ("visibility", "hidden")])
        }
    }

    private func x(_ ms: Int, _ range: Range<Int>) -> Double {
        Double(min(max(ms, range.lowerBound), range.upperBound) - range.lowerBound) * Double(Self.width)
            / Double(Self.rowMs)
    }

    private func ticks(_ range: Range<Int>, _ svg: inout Markup) {
        for second in stride(from: 0, to: Self.rowMs, by: 1000) {
            let at = range.lowerBound + second
            let x = Self.short(self.x(at, range))
            svg.empty(
                "line",
                [("class", "tick"), ("x1", x), ("x2", x), ("y1", "14"), ("y2", "\(Self.marksTop - 2)")])
            if second % 5000 == 0 {
                svg.element(
                    "text", [("class", "time"), ("x", x), ("y", "10")], Clock.text(at, showsMs: false))
            }
        }
    }

    private func span(_ turn: CallStory.Turn, _ range: Range<Int>, _ svg: inout Markup) {
        let left = x(turn.startMs, range)
        let width = max(2, x(turn.endMs, range) - left)
        let side = turn.fact.speaker.rawValue
        let top = (side == "caller" ? Self.callerMid : Self.agentMid) - Self.laneHeight / 2 - 4
        svg.element(
            "g",
            [
                ("class", "span \(side)"), ("data-play", "\(turn.startMs)"), ("data-end", "\(turn.endMs)"),
            ]
        ) { group in
            group.element("title", "\(turn.fact.number). \(turn.fact.text)")
            group.empty(
                "rect",
                [
                    ("x", Self.short(left)), ("y", "\(top)"), ("width", Self.short(width)),
                    ("height", "\(Self.laneHeight + 4)"), ("rx", "3"),
                ])
            let room = Int((width - 6) / Self.characterWidth)
            if room > 2 {
                group.element(
                    "text", [("x", Self.short(left + 3)), ("y", "\(top + 10)")],
                    Self.clipped("\(turn.fact.number) \(turn.fact.text)", to: room))
            }
        }
    }

    private func wave(_ peaks: [Double], _ side: String, _ mid: Int, _ range: Range<Int>, _ svg: inout Markup)
    {
        let start = story.recordingMs ?? 0
        let first = max(0, (range.lowerBound - start) / Waveform.columnMs)
        let last = min(peaks.count, max(0, range.upperBound - start) / Waveform.columnMs)
        guard first < last else { return }
        var path = ""
        for index in first..<last {
            // The ear is nearer to the root than to the sample.
            let reach = (peaks[index].squareRoot() * 17).rounded()
            guard reach >= 1 else { continue }
            let x = Self.short(self.x(start + index * Waveform.columnMs, range))
            path += "M\(x) \(mid + 6 - Int(reach))v\(Int(reach) * 2)"
        }
        svg.empty("path", [("class", "wave \(side)"), ("d", path)])
    }

    private func marks(_ range: Range<Int>, _ svg: inout Markup) {
        var taken = [Double](repeating: -1, count: Self.markLanes)
        for decision in story.decisions where range.contains(decision.atMs) {
            let x = x(decision.atMs, range)
            // Where no lane is free the mark stays without a label; the table has it.
            let free = taken.firstIndex { $0 <= x }
            let lane = free ?? Self.markLanes - 1
            let label = Self.clipped(decision.what, to: 28)
            // At the right edge the label stands before its mark.
            let width = Double(label.count) * Self.characterWidth + 8
            let isLate = x + width > Double(Self.width)
            if free != nil { taken[lane] = x + width }
            let y = Self.marksTop + lane * Self.markHeight
            svg.element("g", [("class", "mark \(decision.kind.rawValue)")]) { group in
                group.element("title", "\(Clock.text(decision.atMs)) \(decision.what): \(decision.why)")
                group.empty(
                    "line",
                    [("x1", Self.short(x)), ("x2", Self.short(x)), ("y1", "16"), ("y2", "\(y + 10)")])
                guard free != nil else { return }
                group.element(
                    "text",
                    [
                        ("x", Self.short(isLate ? x - 3 : x + 3)), ("y", "\(y + 10)"),
                        ("text-anchor", isLate ? "end" : "start"),
                    ], label)
            }
        }
    }

    /// One digit behind the point is enough for a drawing.
    static func short(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func clipped(_ text: String, to room: Int) -> String {
        text.count <= room ? text : String(text.prefix(max(1, room - 1))) + "…"
    }
}
