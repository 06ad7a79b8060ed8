import CVoicesShim
import Foundation

/// How words sound: the CMU dictionary that comes with PocketSphinx's model, and flite's letter-to-sound rules for the rest.
package struct PronouncingDictionary: Sendable {
    private let bytes: Data

    /// The file: lines of `word PHONE PHONE…`, nearly in the order of their bytes; further pronunciations as `word(2)`.
    init(path: String) throws {
        bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    }

    /// The installed dictionary, nil when there is none.
    package static let installed: PronouncingDictionary? = OfflineRecognizer.model.flatMap {
        try? PronouncingDictionary(path: $0.dictionary)
    }

    /// Name and phones of each pronunciation of a lower-case word; empty when there is none.
    package func pronunciations(of word: String) -> [(name: String, phones: String)] {
        let known = entries(word)
        return known.isEmpty ? Self.guess(word) : known
    }

    package func contains(_ word: String) -> Bool { !entries(word).isEmpty }

    private static func guess(_ word: String) -> [(name: String, phones: String)] {
        guard !word.isEmpty, word.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == 0x27 }) else {
            return []
        }
        var buffer = [CChar](repeating: 0, count: 256)
        guard voices_pronounce(word, &buffer, 256) > 0 else { return [] }
        let phones = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return [(word, phones)]
    }

    private func entries(_ word: String) -> [(name: String, phones: String)] {
        bytes.withUnsafeBytes { raw -> [(name: String, phones: String)] in
            let text = raw.bindMemory(to: UInt8.self)
            var found: [(name: String, phones: String)] = []
            for number in 1... {
                let name = number == 1 ? word : "\(word)(\(number))"
                let key = Array(name.utf8)
                guard let phones = Self.find(key, in: text) ?? Self.scan(for: key, in: text) else { break }
                found.append((name, phones))
            }
            return found
        }
    }

    /// Binary search over the bytes of the file for the line that begins with `key` and a space.
    private static func find(_ key: [UInt8], in text: UnsafeBufferPointer<UInt8>) -> String? {
        var low = 0
        var high = text.count
        while low < high {
            var start = (low + high) / 2
            while start > low, text[start - 1] != 0x0A { start -= 1 }
            var end = start
            while end < text.count, text[end] != 0x0A { end += 1 }
            let line = text[start..<end]
            let name = line.prefix { $0 != 0x20 }
            if name.elementsEqual(key) {
                return String(decoding: line.dropFirst(name.count + 1), as: UTF8.self)
            }
            if name.lexicographicallyPrecedes(key) { low = end + 1 } else { high = start }
        }
        return nil
    }

    /// For the few lines that are out of order: about 0.3 ms.
    private static func scan(for key: [UInt8], in text: UnsafeBufferPointer<UInt8>) -> String? {
        let line: [UInt8] = [0x0A] + key + [0x20]
        let found = voices_find(text.baseAddress, text.count, line, line.count)
        guard found >= 0 else { return nil }
        return String(decoding: text[(found + line.count)...].prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
