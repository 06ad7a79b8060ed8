import Base

/// Digits of someone who corrects themselves.
///
/// "four one five six, not five" → 416 (the last 5 becomes 6); "four one five, no, six" → 416; "the first one is three" to
/// 415 → 315 (`SpokenPlace`); "start over" drops what was said before it.
package enum SpokenCorrections {
    private enum Piece: Hashable {
        case digits(String), placed(SpokenPlace), no, not
        /// "Not" behind digits, and each number said after it: those that are wrong come first.
        case denied([String])
    }

    private static let takingBack = [
        ["i", "mean"], ["i", "meant"], ["make", "that"], ["make", "it"], ["sorry"], ["no"], ["actually"],
        ["correction"], ["oops"], ["rather"],
    ]

    /// Also taken back by these, where no digits are dictated: in the middle of a number people wait.
    private static let waiting = [["wait"], ["hold", "on"], ["hang", "on"]]

    /// Words of the mark of correction at `at`; nil where none stands.
    static func mark(_ words: [String], _ at: Int) -> Int? {
        (takingBack + waiting).first { Words.stands($0, in: words, at: at) }?.count
    }

    /// True where `words` say which of a number's digits are to be others.
    package static func nameAPlace(_ words: [String]) -> Bool {
        pieces(in: words).contains {
            if case .placed(let place) = $0 { !place.digits.isEmpty } else { false }
        }
    }

    private static let fillers: Set<String> = [
        "it", "it's", "is", "the", "a", "an", "and", "but", "um", "uh", "that's", "please", "wait",
    ]

    /// True for words that take back what was said and give nothing for it: "no, wait".
    static func takesBackOnly(_ words: [String]) -> Bool {
        var at = 0
        while at < words.count {
            guard let used = mark(words, at) ?? (fillers.contains(words[at]) ? 1 : nil) else { return false }
            at += used
        }
        return words.contains("no")
    }

    /// True for words that only correct digits, "no, six, not five": without a number they say nothing.
    static func isAll(of words: [String]) -> Bool {
        var hasDigits = false
        var takesBack = false
        var at = 0
        while at < words.count {
            if let phrase = takingBack.first(where: { Words.stands($0, in: words, at: at) }) {
                takesBack = true
                at += phrase.count
            } else if let (_, used) = SpokenNumbers.group(words, at) {
                hasDigits = true
                at += used
            } else if words[at] == "not" || fillers.contains(words[at]) {
                if words[at] == "not" { takesBack = true }
                at += 1
            } else {
                return false
            }
        }
        return hasDigits && takesBack
    }

    /// The digits in `words`, said after `before` was; `isWhole` decides where a correction fits in two ways. nil where
    /// something was corrected, and it is not certain what.
    ///
    /// `goesOn`: `before` may be only the beginning of a number.
    package static func digits(
        in words: [String], after before: String = "", goesOn: Bool = true,
        isWhole: (String) -> Bool = { _ in false }
    ) -> String? {
        let start = SpokenRequest.lastStartOver(in: words)
        let all = pieces(in: start.map { Array(words[$0...]) } ?? words)
        var digits = start == nil ? before : ""
        var at = 0
        while at < all.count {
            switch (all[at], piece(all, at + 1), piece(all, at + 2)) {
            case (.placed(let place), let next, _):
                let isTaken = at > 0 && all[at - 1] == .no
                guard let mended = place.mended(digits, goesOn: goesOn && !isTaken, isWhole: isWhole) else {
                    return nil
                }
                // "The last one is six, not five."
                if case .denied(let wrong) = next, !wrong.isEmpty {
                    guard mended.was == wrong.joined() else { return nil }
                    at += 1
                }
                digits = mended.number
                at += 1
            case (.digits(let right), .denied(let wrong), _):
                let isMending = !goesOn || (at > 0 && all[at - 1] == .no)
                guard let mended = contrasted(right, with: wrong, after: digits, isMending: isMending) else {
                    return nil
                }
                digits = mended
                at += 2
            case (.not, .digits(let wrong), .digits(let right)) where digits.contains(wrong):
                digits = replacing(wrong, with: String(right.prefix(wrong.count)), in: digits)
                digits += right.dropFirst(wrong.count)
                at += 3
            case (.not, .digits, _): at += 2
            case (.no, .digits(let run), let next) where !digits.isEmpty && !isDenied(next):
                digits = corrected(digits, by: run, isWhole)
                at += 2
            case (.digits(let run), _, _):
                digits += run
                at += 1
            default: at += 1
            }
        }
        return digits
    }

    private static func isDenied(_ piece: Piece?) -> Bool {
        if case .denied = piece { true } else { false }
    }

    private static func piece(_ pieces: [Piece], _ at: Int) -> Piece? {
        pieces.indices.contains(at) ? pieces[at] : nil
    }

    private static func pieces(in words: [String]) -> [Piece] {
        var pieces: [Piece] = []
        var at = 0
        /// "Not five, six": what is wrong and what is right are two pieces.
        var isAfterNot = false
        while at < words.count {
            if let place = SpokenPlace(words, at: at) {
                pieces.append(.placed(place))
                isAfterNot = false
                at += place.used
            } else if let (digits, used) = SpokenNumbers.group(words, at) {
                switch pieces.last {
                case .denied(let wrong): pieces[pieces.count - 1] = .denied(wrong + [digits])
                case .digits(let before) where !isAfterNot:
                    pieces[pieces.count - 1] = .digits(before + digits)
                case let last:
                    pieces.append(.digits(digits))
                    if last != .not { isAfterNot = false }
                }
                at += used
            } else if words[at] == "not" {
                switch pieces.last {
                case .digits, .placed: pieces.append(.denied([]))
                default:
                    pieces.append(.not)
                    isAfterNot = true
                }
                at += 1
            } else if let phrase = takingBack.first(where: { Words.stands($0, in: words, at: at) }) {
                if pieces.last != .no { pieces.append(.no) }
                isAfterNot = false
                at += phrase.count
            } else {
                at += 1
            }
        }
        return pieces
    }

    /// "Six, not five" after `digits`. nil where it is not certain what is wrong: nothing that was said is dropped for it.
    ///
    /// `wrong`: the numbers behind "not" as they were said. `isMending`: `right` is no more than the correction.
    private static func contrasted(
        _ right: String, with wrong: [String], after digits: String, isMending: Bool
    ) -> String? {
        guard let first = wrong.first else { return nil }
        // "… nine six, not six, seven": what was said last is wrong.
        if right.hasSuffix(first) {
            let instead = wrong.dropFirst().joined()
            guard !instead.isEmpty, !isMending else { return nil }
            return digits + right.dropLast(first.count) + instead
        }
        let all = wrong.joined()
        guard right.count == all.count || (right.count > all.count && !isMending && wrong.count == 1) else {
            return nil
        }
        let kept = right.dropLast(all.count)
        if kept.isEmpty {
            // "Six, not nine" where there is no nine: it was heard as something else.
            guard digits.contains(all) || (!digits.isEmpty && wrong.count == 1) else { return nil }
        } else {
            guard kept.contains(all) else { return nil }
        }
        return replacing(all, with: String(right.suffix(all.count)), in: digits + kept)
    }

    /// The last place where `wrong` was said; the end where it was not.
    private static func replacing(_ wrong: String, with right: String, in digits: String) -> String {
        guard digits.count >= wrong.count, !wrong.isEmpty else { return digits + right }
        let all = Array(digits)
        let pattern = Array(wrong)
        for start in (0...(all.count - pattern.count)).reversed()
        where Array(all[start..<start + pattern.count]) == pattern {
            return String(all[..<start]) + right + String(all[(start + pattern.count)...])
        }
        return String(all.dropLast(right.count)) + right
    }

    /// `run` takes the place of as many digits, of all, or of fewer with the rest going on: the first that is whole.
    private static func corrected(_ digits: String, by run: String, _ isWhole: (String) -> Bool) -> String {
        let longest = min(run.count, digits.count)
        let first = run.count > digits.count ? run : String(digits.dropLast(run.count)) + run
        let others = [run] + (1...longest).reversed().map { String(digits.dropLast($0)) + run }
        return ([first] + others).first(where: isWhole) ?? first
    }
}
