-- A hospital, as SQL Server's tools write it: patients stay on wards and are treated.
-- A nurse reports to another nurse; a treatment belongs to a stay, whose key has two
-- columns.
USE [Hospital]
GO
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE TABLE [dbo].[Ward](
	[WardID] [int] IDENTITY(1,1) NOT NULL,
	[Name] [nvarchar](60) NOT NULL,
	[Beds] [smallint] NOT NULL,
 CONSTRAINT [PK_Ward] PRIMARY KEY CLUSTERED
(
	[WardID] ASC
)WITH (PAD_INDEX = OFF, IGNORE_DUP_KEY = OFF) ON [PRIMARY]
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Nurse](
	[NurseID] [int] IDENTITY(1,1) NOT NULL,
	[WardID] [int] NOT NULL,
	[ReportsTo] [int] NULL,
	[HiredOn] [date] NOT NULL,
	[Grade] [tinyint] NOT NULL,
 CONSTRAINT [PK_Nurse] PRIMARY KEY CLUSTERED ([NurseID] ASC) ON [PRIMARY]
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Patient](
	[PatientID] [int] IDENTITY(1,1) NOT NULL,
	[BirthDate] [date] NOT NULL,
	[Weight] [decimal](5, 2) NULL,
	[Height] [decimal](5, 2) NULL,
	[Bmi]  AS ([Weight]/([Height]*[Height])) PERSISTED,
	[Smoker] [bit] NOT NULL CONSTRAINT [DF_Patient_Smoker] DEFAULT ((0)),
	[rowguid] [uniqueidentifier] ROWGUIDCOL NOT NULL CONSTRAINT [DF_Patient_rowguid] DEFAULT (newid()),
 CONSTRAINT [PK_Patient] PRIMARY KEY CLUSTERED ([PatientID] ASC) ON [PRIMARY]
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Stay](
	[PatientID] [int] NOT NULL,
	[AdmittedOn] [datetime2](0) NOT NULL,
	[WardID] [int] NOT NULL,
	[DischargedOn] [datetime2](0) NULL,
	[Readmitted] [bit] NULL,
 CONSTRAINT [PK_Stay] PRIMARY KEY NONCLUSTERED ([PatientID] ASC, [AdmittedOn] ASC) ON [PRIMARY]
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Treatment](
	[TreatmentID] [bigint] IDENTITY(1,1) NOT NULL,
	[PatientID] [int] NOT NULL,
	[AdmittedOn] [datetime2](0) NOT NULL,
	[NurseID] [int] NULL,
	[Code] [nvarchar](12) NOT NULL,
	[Cost] [money] NOT NULL,
	[Note] [nvarchar](max) NULL,
 CONSTRAINT [PK_Treatment] PRIMARY KEY CLUSTERED ([TreatmentID] ASC) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
ALTER TABLE [dbo].[Nurse]  WITH CHECK ADD  CONSTRAINT [FK_Nurse_Ward] FOREIGN KEY([WardID])
REFERENCES [dbo].[Ward] ([WardID])
GO
ALTER TABLE [dbo].[Nurse] CHECK CONSTRAINT [FK_Nurse_Ward]
GO
ALTER TABLE [dbo].[Nurse]  WITH CHECK ADD  CONSTRAINT [FK_Nurse_Nurse] FOREIGN KEY([ReportsTo])
REFERENCES [dbo].[Nurse] ([NurseID])
GO
ALTER TABLE [dbo].[Stay]  WITH CHECK ADD  CONSTRAINT [FK_Stay_Patient] FOREIGN KEY([PatientID])
REFERENCES [dbo].[Patient] ([PatientID])
ON DELETE CASCADE
GO
ALTER TABLE [dbo].[Stay]  WITH CHECK ADD  CONSTRAINT [FK_Stay_Ward] FOREIGN KEY([WardID])
REFERENCES [dbo].[Ward] ([WardID])
GO
ALTER TABLE [dbo].[Treatment]  WITH CHECK ADD  CONSTRAINT [FK_Treatment_Stay] FOREIGN KEY([PatientID], [AdmittedOn])
REFERENCES [dbo].[Stay] ([PatientID], [AdmittedOn])
GO
ALTER TABLE [dbo].[Treatment]  WITH NOCHECK ADD  CONSTRAINT [FK_Treatment_Nurse] FOREIGN KEY([NurseID])
REFERENCES [dbo].[Nurse] ([NurseID])
GO
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'Came back within thirty days' , @level0type=N'SCHEMA',@level0name=N'dbo', @level1type=N'TABLE',@level1name=N'Stay', @level2type=N'COLUMN',@level2name=N'Readmitted'
GO
