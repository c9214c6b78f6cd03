"""What a script with Py-Feat became."""

import rekog_emotion as rekog


def main() -> None:
    """Write the faces of a video as a table, and draw how they look over time."""
    clip = rekog.analyze_video("clip.mp4", client="embedded")
    frame = clip.to_pandas(people=True)
    frame.to_csv("faces.csv", index=False)
    emotions = [name for name in frame.columns if name.startswith("emotion_")]
    for person, look in frame.groupby("person")[emotions].mean().idxmax(axis="columns").items():
        print(person, look)

    clip.plot(kind="lines", video="clip.mp4").savefig("people.png")


if __name__ == "__main__":
    main()
