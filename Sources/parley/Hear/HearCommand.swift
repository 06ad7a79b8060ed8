import ArgumentParser
import Audio
import Base
import Foundation
import Turns

/// What the ear and the endpointer decide about recordings: for people who tune an agent.
struct HearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hear",
        abstract: "Show what is decided about recordings of callers, one JSON line a file.",
        discussion: """
            Files are 8 kHz WAV: 16-bit PCM, µ-law or A-law; of a stereo file the left channel is the caller and the \
            right one the agent, as in Parley's own recordings.

            Each line: segments [[start, end, told_start, told_end]…], eot [t…] (ends of turn), keys, and bargein \
            [{t, kind}…] with kind duck, unduck, pause, resume or clear; all in seconds. Unless an agent is given it is \
            taken to speak all the time, for bargein only. A file that cannot be heard is named on standard error and \
            the others are heard; the exit code is then 1. One that is cut off is heard as far as it goes, and said to be.

            SPEC: open, yes_no, digits:6, digits:4-8 (at most 32), phone, date, name, spelling, address, email, amount, \
            choice:red|dark red (at most 50). Without --words, what was asked is listened for by the offline recogniser; after an open \
            question it knows no words, and ends are told by silence.
            """)

    @Argument(help: "WAV files.") var files: [String]
    @Option(help: "What the caller was asked for.") var expect = "open"
    @Option(
        help: #"Words with their times in place of recognition: [{"w":"six","a":0.31,"b":0.62}…], seconds."#)
    var words: String?
    @Option(help: "The agent's side of the call, a WAV file of the same times.") var agent: String?
    @Option(help: "Directory of the speech detector's weights. [PARLEY_MODELS, ./.parley/models]")
    var models: String?
    @Flag(help: "Hear by loudness alone, without the network.") var loudness = false
    @Flag(
        help: "Tell how final the voice sounded at each end: falls [[t, 0...1, what it is reckoned from…]…].")
    var falls = false

    /// The longest recording that words are given for: a day.
    private static let secondsMax = 86_400.0

    struct TimedWord: Decodable {
        var w: String
        var a: Double
        var b: Double
    }

    func run() async throws {
        guard let expectation = Expectation(spec: expect) else {
            throw ValidationError("--expect \(expect): not an expectation; see --help")
        }
        if files.count > 1, words != nil || agent != nil {
            throw ValidationError("--words and --agent belong to one file")
        }
        let weights = try loudness ? nil : readWeights()
        let given = try words.map(readWords)
        let agentGiven = try agent.map { AgentTrack(try Self.read($0)[0]) }
        let listener = Listener()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var failed = false
        for file in files {
            let channels: [[Int16]]
            do { channels = try Self.read(file) } catch {
                failed = true
                StandardError.say(error.message)
                continue
            }
            let track = agentGiven ?? (channels.count == 2 ? AgentTrack(channels[1]) : nil)
            let cues = Hearing.cues(channels[0], agent: track, weights: weights)
            let totalMs = channels[0].count / 8
            let heard: [Word]
            if let given {
                heard = given
                let late = given.count { $0.endMs > totalMs + Hearing.afterMs }
                if late > 0 {
                    StandardError.say(
                        "\(file): not heard, as the recording ends before: \(late) of the words")
                }
            } else {
                heard = try await listener.words(of: channels[0], cues, expecting: expectation)
            }
            var hearing = Hearing(
                id: URL(filePath: file).deletingPathExtension().lastPathComponent, expecting: expectation,
                words: heard, agent: track, policy: Turns.Policy(), tellsFalls: falls)
            let found = hearing.run(cues, totalMs: totalMs)
            print(String(decoding: try encoder.encode(found), as: UTF8.self))
        }
        if failed { throw ExitCode.failure }
    }

    private static func read(_ path: String) throws(ValidationError) -> [[Int16]] {
        let data = try GivenFile.read(path)
        let sound: WAV.Sound
        do { sound = try WAV.read([UInt8](data)) } catch { throw ValidationError("\(path): \(error)") }
        guard sound.rateHz == 8000 else {
            throw ValidationError("\(path): \(sound.rateHz) Hz; telephone audio has 8000")
        }
        guard (1...2).contains(sound.channels.count) else {
            throw ValidationError("\(path): \(sound.channels.count) channels; one or two are understood")
        }
        if sound.missingBytes > 0 {
            StandardError.say(
                "\(path): cut off, \(sound.missingBytes) bytes of sound are missing; the rest is heard")
        }
        return sound.channels
    }

    private func readWords(_ path: String) throws -> [Word] {
        let data = try GivenFile.read(path)
        guard let words = try? JSONDecoder().decode([TimedWord].self, from: data) else {
            throw ValidationError("\(path): not a list of words with w, a and b")
        }
        for word in words where !(0 <= word.a && word.a <= word.b && word.b <= Self.secondsMax) {
            throw ValidationError("\(path): \"\(word.w)\" from \(word.a) to \(word.b) s")
        }
        return words.sorted { $0.b < $1.b }.map {
            Word(text: $0.w, startMs: Int($0.a * 1000), endMs: Int($0.b * 1000))
        }
    }

    private func readWeights() throws -> SileroVAD.Weights {
        let path = Configuration.models(models) + "/" + SileroVAD.Weights.fileName
        guard let file = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path) is not there: run `deploy/models`, or use --loudness")
        }
        return try SileroVAD.Weights(file: [UInt8](file))
    }
}
