import Audio
import Base
import Foundation

/// What a call left, from a directory in which workers wrote: `CALL.EPOCH.journal`, `CALL.EPOCH.wav`, and `CALL.json`
/// where someone has kept what the API told of it.
struct RecordedFiles {
    let directory: String
    let call: String

    /// nil when there is none.
    func journal() throws -> Data? { try joined("journal") { $0.reduce(Data(), +) } }

    /// One WAV of all epochs; nil when there is none.
    func recording() throws -> Data? {
        try joined("wav") { parts in
            let samples = parts.map { $0.dropFirst(WAV.headerBytes) }.reduce(Data(), +)
            return Data(WAV.header(dataBytes: samples.count)) + samples
        }
    }

    func sheet() throws -> JSON? {
        let path = "\(directory)/\(call).json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try JSONDecoder().decode(JSON.self, from: Data(contentsOf: URL(filePath: path)))
    }

    private func joined(_ kind: String, _ join: ([Data]) -> Data) throws -> Data? {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        let epochs = names.compactMap { name -> (Int, String)? in
            guard name.hasPrefix(call + "."), name.hasSuffix("." + kind) else { return nil }
            return Int(name.dropFirst(call.count + 1).dropLast(kind.count + 1)).map { ($0, name) }
        }
        guard !epochs.isEmpty else { return nil }
        return join(
            try epochs.sorted { $0.0 < $1.0 }.map {
                try Data(contentsOf: URL(filePath: "\(directory)/\($0.1)"))
            })
    }
}
