/// Joins characters that a vendor cut in two: JSON writes an emoji as two escapes, `\ud83d\ude00`, and some servers send
/// one in each delta. Pure.
///
/// A half that stands alone in its event is no Unicode, so it is put aside as a character of a private plane (`marked`) and
/// joined with its other half in the text (`push`, `joined`). One that never finds it becomes U+FFFD.
struct SurrogateHalves {
    /// U+10F000 and on stand for the 1024 first halves, then for the 1024 second ones.
    private static let marks: UInt32 = 0x10F000
    private static let highs = marks..<marks + 0x400
    private static let lows = marks + 0x400..<marks + 0x800
    private static let replacement = Unicode.Scalar(0xFFFD as UInt16) ?? " "

    /// The first half of a character whose second may come with the next text.
    private var held: UInt32?

    /// The text as far as it is known, without a half at its end.
    mutating func push(_ text: String) -> String {
        guard held != nil || text.unicodeScalars.contains(where: { $0.value >= Self.marks }) else {
            return text
        }
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let value = scalar.value
            if let high = held, Self.lows.contains(value) {
                let code = 0x10000 + (high - Self.marks) << 10 + (value - Self.lows.lowerBound)
                out.append(Unicode.Scalar(code) ?? Self.replacement)
                held = nil
                continue
            }
            if held != nil { out.append(Self.replacement) }
            held = Self.highs.contains(value) ? value : nil
            if held == nil { out.append(Self.lows.contains(value) ? Self.replacement : scalar) }
        }
        return String(out)
    }

    /// What stands for a half that waits in vain.
    mutating func finish() -> String {
        defer { held = nil }
        return held == nil ? "" : String(Self.replacement)
    }

    /// A whole text.
    static func joined(_ text: String) -> String {
        var halves = SurrogateHalves()
        return halves.push(text) + halves.finish()
    }

    /// A JSON text in which halves that stand alone are marked; without any, as it was.
    static func marked(_ data: [UInt8]) -> [UInt8] {
        var out: [UInt8]?
        var at = 0
        while at < data.count {
            guard data[at] == UInt8(ascii: "\\") else {
                out?.append(data[at])
                at += 1
                continue
            }
            let code = escape(data, at)
            let isPair = code.map(isHigh) == true && escape(data, at + 6).map(isLow) == true
            let length = isPair ? 12 : code == nil ? 2 : 6
            if let code, isHigh(code) || isLow(code), !isPair {
                if out == nil { out = Array(data[..<at]) }
                let mark = isHigh(code) ? marks + code - 0xD800 : marks + 0x400 + code - 0xDC00
                out?.append(contentsOf: String(Unicode.Scalar(mark) ?? replacement).utf8)
            } else {
                out?.append(contentsOf: data[at..<min(at + length, data.count)])
            }
            at += length
        }
        return out ?? data
    }

    private static func isHigh(_ code: UInt32) -> Bool { (0xD800..<0xDC00).contains(code) }
    private static func isLow(_ code: UInt32) -> Bool { (0xDC00..<0xE000).contains(code) }

    /// The code of a `\u` escape at this place; nil for any other escape.
    private static func escape(_ data: [UInt8], _ at: Int) -> UInt32? {
        guard at + 6 <= data.count, data[at] == UInt8(ascii: "\\"), data[at + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return data[at + 2..<at + 6].reduce(UInt32?(0)) { code, byte in
            guard let code, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            return code << 4 | UInt32(digit)
        }
    }
}
