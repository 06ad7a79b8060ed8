/// Base64 with `=` padding for audio frames: tables, no allocation beyond the result.
/// Source: RFC 4648 §4.
enum Base64 {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in letters.enumerated() { table[Int(letter)] = UInt8(value) }
        return table
    }()

    static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var iterator = bytes.makeIterator()
        while let first = iterator.next() {
            let second = iterator.next()
            let third = second == nil ? nil : iterator.next()
            let group = Int(first) << 16 | Int(second ?? 0) << 8 | Int(third ?? 0)
            result.append(letters[group >> 18])
            result.append(letters[group >> 12 & 63])
            result.append(second == nil ? 0x3D : letters[group >> 6 & 63])
            result.append(third == nil ? 0x3D : letters[group & 63])
        }
        return result
    }

    /// nil for a wrong letter, a wrong length or padding in the wrong place.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).filter { $0 == 0x3D }.count
        let letters = text.dropLast(padding)
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var group = 0
        var bits = 0
        for letter in letters {
            let value = values[Int(letter)]
            guard value != 0xFF else { return nil }
            group = (group << 6 | Int(value)) & 0xFFFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(group >> bits & 0xFF))
            }
        }
        return result
    }
}
