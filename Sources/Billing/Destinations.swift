package import Base

/// Which numbers may be dialled: emergency, premium and known fraud ranges are refused unless a tenant
/// allows them.
///
/// Short codes (911, 112) are not E.164 and never get this far; the emergency rule catches them behind a
/// country code.
package struct Destinations: Hashable, Sendable {
    package enum Ground: String, Hashable, Sendable {
        case emergency, premium, satellite, sharedCost, fraudProne, denied, notAllowed
    }

    /// Longest match wins. Digits after `+`.
    /// Source: ITU-T E.164 assigned codes; NANPA area codes; Ofcom number ranges; carriers' high-risk lists.
    package static let risks: [(prefix: String, ground: Ground)] =
        prefixes(
            .premium,
            [
                "1900", "1976", "449", "4487", "33899", "3389", "49900", "390899", "39899", "34803", "34806",
                "34807", "979",
            ])
        + prefixes(.sharedCost, ["4470", "4484", "491805", "808"])
        + prefixes(.satellite, ["870", "878", "881", "882", "883", "888"])
        + prefixes(
            .fraudProne,
            [
                // Caribbean and Pacific numbers that look like North American ones.
                "1242", "1246", "1264", "1268", "1284", "1345", "1441", "1473", "1649", "1658", "1664",
                "1721", "1758",
                "1767", "1784", "1809", "1829", "1849", "1868", "1869", "1876",
                "216", "222", "224", "225", "231", "232", "239", "240", "241", "242", "243", "252", "257",
                "261", "269",
                "371", "372", "373", "375", "53", "592", "597", "670", "672", "674", "675", "676", "677",
                "678", "679", "682",
                "683", "685", "686", "687", "688", "689", "690", "691", "692", "960",
            ])

    /// Emergency services behind a country code.
    private static let emergency = ["911", "112", "999", "000", "110", "118", "119"]

    /// Prefixes with `+` a tenant opens (`+1242`, `+44`); beats every risk but emergency.
    package var allowed: [String]
    /// Prefixes with `+` that are closed, unless `allowed` has a longer one.
    package var denied: [String]

    package init(allowed: [String] = [], denied: [String] = []) {
        self.allowed = allowed
        self.denied = denied
    }

    /// Why the number must not be dialled; nil when it may be.
    package func refusal(of number: E164) -> Ground? {
        if Self.isEmergency(number.digits) { return .emergency }
        let risk = Self.risks.filter { number.digits.hasPrefix($0.prefix) }.max {
            $0.prefix.count < $1.prefix.count
        }
        let opening = Self.longest(allowed, of: number)
        if let closing = Self.longest(denied, of: number), closing >= opening ?? 0 { return .denied }
        if let risk { return (opening ?? 0) >= risk.prefix.count ? nil : risk.ground }
        return allowed.isEmpty || opening != nil ? nil : .notAllowed
    }

    /// Digits of the longest prefix that the number begins with.
    private static func longest(_ prefixes: [String], of number: E164) -> Int? {
        prefixes.filter { $0.hasPrefix("+") && number.description.hasPrefix($0) }.map { $0.utf8.count - 1 }
            .max()
    }

    /// +1 911 … and full numbers too short to be anything else, like +44 999 99.
    private static func isEmergency(_ digits: Substring) -> Bool {
        if digits.hasPrefix("1911") { return true }
        guard digits.utf8.count <= 8 else { return false }
        return (2...3).contains { country in
            emergency.contains { digits.dropFirst(country).hasPrefix($0) }
        }
    }

    private static func prefixes(_ ground: Ground, _ list: [String]) -> [(prefix: String, ground: Ground)] {
        list.map { ($0, ground) }
    }
}
