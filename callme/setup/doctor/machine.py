"""What this machine has to offer: room on its disk, a converter for recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

from callme.config import Config
from callme.setup.doctor.signs import Area, Level, Sign, well
from callme.wording import Phrase

DISK = Phrase("room on the disk of {folder}", "место на диске {folder}")
FREE = Phrase("{free} GB free ({share} %)", "свободно {free} ГБ ({share} %)")
FULL_MEANS = Phrase(
    "when the disk is full, calls can no longer be kept and are lost to the CRM",
    "когда диск заполнится, звонки нельзя будет сохранить, и в CRM они не попадут",
)
FULL_CURE = Phrase(
    "make room, or keep transcripts for less time: transcripts_days in [service]",
    "освободите место или храните протоколы меньше: transcripts_days в [service]",
)
LEAST_BYTES, LEAST_SHARE = 1 << 30, 0.05
CONVERTER = Phrase("converting recordings", "преобразование записей")
HAS = Phrase("{program} is there", "{program} есть")
HAS_NOT = Phrase("neither ffmpeg nor lame is there", "нет ни ffmpeg, ни lame")
HAS_NOT_MEANS = Phrase(
    "recordings go to the CRM as they are: four times larger, and not played everywhere",
    "записи уходят в CRM как есть: вчетверо больше, и воспроизводятся не везде",
)
INSTALL = Phrase("apt-get install ffmpeg", "apt-get install ffmpeg")


def examine(config: Config) -> list[Sign]:
    """The signs of the machine."""
    return [disk(_existing(config.service.data_dir)), converter()]


def disk(folder: Path) -> Sign:
    """How much room is left where calls are kept."""
    usage = shutil.disk_usage(folder)
    topic = DISK.given(folder=folder)
    share = usage.free / usage.total if usage.total else 0.0
    found = FREE.given(free=f"{usage.free / (1 << 30):.1f}", share=round(share * 100))
    if usage.free < LEAST_BYTES or share < LEAST_SHARE:
        level = Level.ILL if usage.free < LEAST_BYTES else Level.HINT
        return Sign(Area.MACHINE, level, topic, found, FULL_MEANS, FULL_CURE)
    return well(Area.MACHINE, topic, found)


def converter() -> Sign:
    """What makes recordings into mp3."""
    for program in ("ffmpeg", "lame"):
        if shutil.which(program):
            return well(Area.MACHINE, CONVERTER, HAS.given(program=program))
    return Sign(Area.MACHINE, Level.HINT, CONVERTER, HAS_NOT, HAS_NOT_MEANS, INSTALL)


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
