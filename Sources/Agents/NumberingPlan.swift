import Base

/// How many digits does a telephone number have? Pure.
///
/// Digits as dictated: `+` or a dialling prefix (`00`, `011`) makes them international, a leading 1 or 0 national.
/// Sources: ITU-T E.164 and E.164.D (country codes); NANPA (ten digits, eleven with the leading 1).
enum NumberingPlan {
    /// Digits after `+` in countries whose numbering is not listed: with the country code.
    private static let anyCountry = 7...15
    /// Digits after the country code.
    private static let national: [String: ClosedRange<Int>] = [
        "1": 10...10, "7": 10...10, "20": 8...10, "27": 9...9, "30": 10...10, "31": 9...9, "32": 8...9,
        "33": 9...9, "34": 9...9, "36": 8...9, "39": 6...11, "40": 9...9, "41": 9...9, "43": 4...13,
        "44": 9...10, "45": 8...8, "46": 7...9, "47": 8...8, "48": 9...9, "49": 5...11, "51": 8...9,
        "52": 10...10, "53": 8...8, "54": 10...11, "55": 10...11, "56": 9...9, "57": 10...10, "58": 10...10,
        "60": 8...10, "61": 9...9, "62": 8...12, "63": 8...10, "64": 8...10, "65": 8...8, "66": 8...9,
        "81": 9...10, "82": 8...10, "84": 9...10, "86": 10...11, "90": 10...10, "91": 10...10, "92": 9...10,
        "93": 9...9, "94": 9...9, "95": 7...10, "98": 10...10, "351": 9...9, "352": 4...11, "353": 7...9,
        "354": 7...7, "358": 5...12, "370": 8...8, "371": 8...8, "372": 7...8, "380": 9...9, "385": 8...9,
        "386": 8...8, "420": 9...9, "421": 9...9, "852": 8...8, "886": 8...9, "971": 8...9, "972": 8...9,
    ]

    /// What `digits` are of a telephone number; a seven-digit local number is one, though more is likely to come.
    static func read(_ digits: String, isInternational: Bool) -> Understanding {
        if isInternational { return international(digits[...], value: digits) }
        for prefix in ["011", "00"] where digits.hasPrefix(prefix) {
            return international(digits.dropFirst(prefix.count), value: digits)
        }
        if digits.hasPrefix("0") { return read(digits, lengths: 9...11) }
        if digits.hasPrefix("1") { return read(digits, lengths: 11...11) }
        let isLocal = digits.count == 7
        return isLocal
            ? Understanding(value: digits, fullness: .part) : read(digits, lengths: 10...10)
    }

    private static func international(_ digits: Substring, value: String) -> Understanding {
        for length in 1...3 {
            if let range = national[String(digits.prefix(length))] {
                return read(
                    value, lengths: range.lowerBound + length...range.upperBound + length, count: digits.count
                )
            }
        }
        return read(value, lengths: anyCountry, count: digits.count)
    }

    private static func read(_ digits: String, lengths: ClosedRange<Int>, count: Int? = nil) -> Understanding
    {
        switch count ?? digits.count {
        case 0: Understanding(value: nil, fullness: .none)
        case ..<lengths.lowerBound: Understanding(value: nil, fullness: .part)
        case lengths.upperBound: Understanding(value: digits, fullness: .full)
        case ..<lengths.upperBound: Understanding(value: digits, fullness: .enough)
        // An extension, or a number of another country: taken as it is.
        case ...anyCountry.upperBound: Understanding(value: digits, fullness: .enough)
        default: Understanding(value: nil, fullness: .enough)
        }
    }
}
